"""The report's section on how far the search can be trusted: luck, early stopping, and what mattered."""

import pandas as pd

from search.records import Results, winner
from search.report.markdown import code, section, table
from search.verdict import ENOUGH_TRIALS, Importance, SearchStatistics, counted
from trainables.amounts import DASH, known, number, points


def search_quality(results: Results, found: list[SearchStatistics]) -> str:
    """Tabulate how far each method's search can be trusted."""
    rows = [_row(results, statistics) for statistics in found]
    note = (
        "Best: of all trials, at the full budget. Best at random: what the best of as many random trials as "
        "the search began with is expected to be (unbiased, arXiv 2004.13705), a stopped one counted by its "
        "last score. First rung: Kendall's correlation of the order at the first rung with that at the last, "
        "among the trials that reached both, those of the audit included. Mattered most: shares of PED-ANOVA "
        f"(arXiv 2304.10255), from {ENOUGH_TRIALS} trials on."
    )
    header = ["Method", "Best", "Best at random", "First rung", "Mattered most"]
    return section("How far the search can be trusted", table(header, rows), note)


def importance_table(found: list[SearchStatistics]) -> pd.DataFrame:
    """Tabulate hyperparameters' shares by method; methods with too few trials are left out."""
    rows = [
        (statistics.method, name, share)
        for statistics in found
        if not statistics.importance.too_few
        for name, share in statistics.importance.shares.items()
    ]
    return pd.DataFrame(rows, columns=["method", "hyperparameter", "importance"])


def _row(results: Results, statistics: SearchStatistics) -> list[str]:
    best, luck = winner(results.search(statistics.method)), statistics.expected_best
    return [
        code(statistics.method),
        points(best.score if best else None),
        f"{points(luck[-1])} ({counted(len(luck), 'trial')})" if luck else DASH,
        _first_rung(statistics),
        _mattered(statistics.importance),
    ]


def _mattered(importance: Importance) -> str:
    if importance.too_few:
        return f"too few: {counted(importance.trials, 'trial')}"
    shares = list(importance.shares.items())[:3]
    return ", ".join(f"{code(name)} {number(share, '.0%')}" for name, share in shares) or DASH


def _first_rung(statistics: SearchStatistics) -> str:
    pairs = [pair for pair in statistics.rungs if pair.earlier == 0]
    if not pairs:
        return DASH
    last = max(pairs, key=lambda pair: pair.later)
    trials = counted(last.trials, "trial")
    if known(last.kendall):
        return f"{last.kendall:.2f} ({trials})"
    return f"all {last.trials} tie" if last.trials > 2 else f"too few: {trials}"
