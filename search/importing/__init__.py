"""Results of other tools become runs of the final of a run folder, scored and compared as its own."""

from search.importing.bring import bring
from search.importing.columns import Columns

__all__ = ["Columns", "bring"]
