"""What stops trials early, within each method."""

from search.schedulers.asha import MethodASHA, Rungs

__all__ = ["MethodASHA", "Rungs"]
