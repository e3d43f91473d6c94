"""One Optuna study a method, rebuilt from the records."""

from search.studies.study import MethodStudy, proposal, rebuild, show, show_if_due
from search.studies.warm_start import warm_start

__all__ = ["MethodStudy", "proposal", "rebuild", "show", "show_if_due", "warm_start"]
