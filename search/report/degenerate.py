"""The report's section on outputs that are no answers."""

from search.report.markdown import section, table
from search.report.names import method_name
from search.verdict import Verdict
from trainables.amounts import number

_HEADER = ["Method", "Empty", "Copied", "Endless repetition", "Cut by the cap", "One text for many sources"]


def degenerate(verdict: Verdict) -> str:
    """Tabulate the shares of degenerate outputs, a row a method; nothing without predictions."""
    found = {method.method: method.degenerate for method in verdict.methods if method.degenerate}
    if not found:
        return ""
    rows = [
        [
            method_name(method),
            *(number(share, ".1%") for share in (one.empty, one.copied, one.repeated, one.capped, one.same)),
        ]
        for method, one in found.items()
    ]
    note = (
        "Shares of the outputs on test, the mean over seeds. Copied: the source, or twenty words of it in "
        "one piece. Endless repetition: the output ends in the same words four times or more. One text: the "
        "most frequent output, where it is more than twice as frequent as any reference."
    )
    return section("Degenerate outputs", table(_HEADER, rows), note)
