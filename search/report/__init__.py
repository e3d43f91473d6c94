"""The report of a run folder, from its records only: neither Ray nor torch.

Each is imported when first asked for: `report_of` starts to draw before pandas is loaded.
"""

from typing import TYPE_CHECKING

from search.lazy import lazy_exports

if TYPE_CHECKING:
    from search.report.command import report_of
    from search.report.exporting.folder import export
    from search.report.exporting.hub import Repository
    from search.report.write import verdict_json, write_comparison, write_report

__all__ = ["Repository", "export", "report_of", "verdict_json", "write_comparison", "write_report"]

__getattr__ = lazy_exports(
    __name__,
    {
        "export": "search.report.exporting.folder",
        "Repository": "search.report.exporting.hub",
        "report_of": "search.report.command",
        "verdict_json": "search.report.write",
        "write_comparison": "search.report.write",
        "write_report": "search.report.write",
    },
)
