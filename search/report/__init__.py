"""The report of a run folder, from its records only: neither Ray nor torch."""

from search.report.command import report_of
from search.report.export import export
from search.report.write import write_comparison, write_report

__all__ = ["export", "report_of", "write_comparison", "write_report"]
