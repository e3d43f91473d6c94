"""Several sweeps in one report: the same methods on other models or data."""

from statistics import mean

from search.records import Results
from search.report.markdown import bullets, code, section, table, text
from search.report.names import data_name, method_name, metric_name
from search.verdict import MethodVerdict, Verdict
from trainables.amounts import DASH, known, number, points

Compared = tuple[Results, Verdict]


def comparison(compared: list[Compared]) -> str:
    """Write a Markdown document: what was compared, the scores, the mean ranks, each sweep's verdict."""
    parts = [
        f"# {len(compared)} tune-offs",
        bullets([_subject(place, *each) for place, each in enumerate(compared, start=1)]),
        _scores(compared),
        _verdicts(compared),
    ]
    return "\n\n".join(parts) + "\n"


def _subject(place: int, results: Results, verdict: Verdict) -> str:
    task, examples = results.sweep.task, results.provenance.get("budget", {}).get("examples")
    return (
        f"**{place}** {text(results.sweep.name)}: {code(task.model)} on {code(data_name(task.data))}, "
        f"{metric_name(results)}, {number(examples)} examples a trial, "
        f"intervals over {verdict.intervals_over}"
    )


def _scores(compared: list[Compared]) -> str:
    methods = list(dict.fromkeys(method.method for _, verdict in compared for method in verdict.methods))
    ranks = [_ranks(verdict) for _, verdict in compared]
    mean_rank = {
        name: mean(found) for name in methods if (found := [rank[name] for rank in ranks if name in rank])
    }
    rows = [
        [
            method_name(name),
            *(_score(_find(verdict, name)) for _, verdict in compared),
            number(mean_rank[name], ".2g"),
        ]
        for name in sorted(methods, key=mean_rank.__getitem__)
    ]
    header = ["Method", *map(str, range(1, len(compared) + 1)), "Mean rank"]
    note = (
        "Mean on the test split with its 95 % interval, in points of each sweep's own metric. Letters are "
        "of each sweep by itself: methods that share one cannot be told apart there, and of methods with one "
        "seed, which have none, none can; the untrained model has none either. Mean rank: over the sweeps "
        "that have the method."
    )
    return section("Methods", table(header, rows), note)


def _ranks(verdict: Verdict) -> dict[str, int]:
    return {method.method: rank for rank, method in enumerate(verdict.methods, start=1)}


def _find(verdict: Verdict, name: str) -> MethodVerdict | None:
    return next((method for method in verdict.methods if method.method == name), None)


def _score(method: MethodVerdict | None) -> str:
    if method is None:
        return DASH
    score = method.score
    interval = f" [{points(score.low)}, {points(score.high)}]" if known(score.low) else ""
    return f"{points(score.mean)}{interval} {method.letters}".rstrip()


def _verdicts(compared: list[Compared]) -> str:
    parts = []
    for results, verdict in compared:
        parts += [f"### {text(results.sweep.name)}", text(verdict.summary)]
        parts += [bullets([text(sentence) for sentence in verdict.advice])] if verdict.advice else []
    return section("Verdicts", *parts)
