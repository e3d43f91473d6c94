"""The format of run folders. Each file that a later start reads back says its number.

The promise: an older tuneoff refuses a newer folder and touches nothing in it; a newer one reads every format
that was released. Keys may be added within a format, and who does not know them keeps them; whatever else an
older tuneoff would misread takes a new number.
"""

import json
from typing import Literal

from trainables.errors import InputError

Format = Literal[1]
FORMAT: Format = 1
"""What this tuneoff writes. A file that says none is of format 1, whose first files did not."""


def refuse_newer(content: object, source: object) -> None:
    """Raise InputError where the content of the file `source` says that it is of a later format."""
    told = content.get("format") if isinstance(content, dict) else None
    if type(told) is int and told > FORMAT:
        raise InputError(
            f"{source} is of format {told}, which a newer tuneoff wrote; this one knows formats up to "
            f"{FORMAT}. It is left as it is. Install the newer tuneoff, or name another folder."
        )


def refuse_newer_json(content: bytes, source: object) -> None:
    """As `refuse_newer`, of a text that may be damaged."""
    try:
        parsed = json.loads(content)
    except (ValueError, RecursionError):
        return
    refuse_newer(parsed, source)
