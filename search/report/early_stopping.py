"""What the audit says about early stopping: how often it stopped a trial that would have won."""

from search.records import Results, winner
from search.report.markdown import code, table
from search.report.names import metric_name
from search.statistics import share_interval
from search.verdict import Audit, SearchStatistics, counted
from trainables.amounts import DASH, points


def audit(results: Results, quality: list[SearchStatistics]) -> list[str]:
    """Write a sentence on all methods, then a table with a row a method; nothing without an audit."""
    found = {statistics.method: statistics.audit for statistics in quality if statistics.audit.audited}
    if not found:
        return []
    rows = [_row(results, method, one) for method, one in found.items()]
    note = (
        "Audit: stopped trials, drawn at random, that were run to the end afterwards. Wrongly stopped: those "
        f"that came to a higher {metric_name(results)} on validation than the winner, with the exact 95 % "
        "interval (Clopper and Pearson) of the share that would. They decide nothing."
    )
    header = ["Method", "Audited", "Wrongly stopped", "Share at 95 %", "Best of them", "Winner"]
    return [_sentence(list(found.values())), table(header, rows), note]


def _sentence(audits: list[Audit]) -> str:
    audited, wrongly = (sum(getattr(a, name) for a in audits) for name in ("audited", "wrongly_stopped"))
    return (
        f"**Of {counted(audited, 'stopped trial')} that {'was' if audited == 1 else 'were'} run to the end, "
        f"{wrongly or 'none'} would have beaten the winner of its method: "
        f"{_interval(wrongly, audited)} of such stops are wrong, at 95 %.**"
    )


def _row(results: Results, method: str, one: Audit) -> list[str]:
    best = winner(results.search(method))
    return [
        code(method),
        f"{one.audited} of {one.stopped} stopped",
        str(one.wrongly_stopped),
        _interval(one.wrongly_stopped, one.audited),
        points(one.best),
        points(best.score) if best else DASH,
    ]


def _interval(count: int, of: int) -> str:
    low, high = share_interval(count, of)
    return f"{100 * low:.0f} to {100 * high:.0f} %"
