"""Put the rows of an import together: what each run wrote for the examples that all runs share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from search.importing.examples import MOST_NAMED, Examples
from search.importing.rows import Row
from search.records import BASELINE
from trainables.errors import InputError
from trainables.examples import Example


@dataclass(frozen=True)
class Run:
    """What one seed of a method wrote, or scored."""

    method: str
    seed: int
    predictions: dict[str, str]
    """Example id to the output; empty where only scores are known."""
    costs: dict[str, float]
    scores: dict[str, float]
    """Of the whole corpus, in points; empty where there are predictions."""
    place: str
    """Of its first row."""


def together(rows: Sequence[Row], known: Mapping[str, Example]) -> tuple[list[Example], list[Run]]:
    """Return the examples, and the runs in the order in which they begin.

    Args:
        rows: of all files.
        known: the examples of the run folder, by id; empty where it has none.

    Raises:
        InputError: rows contradict or repeat one another, or runs are of different examples.
    """
    _refuse_both(rows)
    examples = Examples(known)
    named = examples.named([row for row in rows if row.prediction is not None])
    of_runs: dict[tuple[str, int], dict[str, Row]] = {}
    for name, row in named:
        _enter(of_runs.setdefault(row.run, {}), name, row)
    runs = [_run(of_run) for of_run in of_runs.values()]
    first = (list(known), "the run folder") if known else _first(runs)
    for run in runs:
        _refuse_other_examples(run, *first)
    return [examples.example(name) for name in first[0]], [*runs, *_quoted(rows)]


def _first(runs: Sequence[Run]) -> tuple[list[str], str]:
    return (list(runs[0].predictions), _said(runs[0])) if runs else ([], "")


def _enter(of_run: dict[str, Row], name: str, row: Row) -> None:
    if name in of_run:
        raise InputError(
            f"{row.place}: a second prediction of {row.method!r}, seed {row.seed}, for the example {name!r}; "
            f"the first is in {of_run[name].place}."
        )
    of_run[name] = row


def _run(of_run: Mapping[str, Row]) -> Run:
    rows = list(of_run.values())
    return Run(
        method=rows[0].method,
        seed=rows[0].seed,
        predictions={name: row.prediction or "" for name, row in of_run.items()},
        costs=_costs(rows),
        scores={},
        place=rows[0].place,
    )


def _costs(rows: Sequence[Row]) -> dict[str, float]:
    """Return a run's costs, which one of its rows may say, or all of them alike."""
    found: dict[str, tuple[float, str]] = {}
    for row in rows:
        for name, cost in row.costs.items():
            value, place = found.setdefault(name, (cost, row.place))
            if value != cost:
                raise InputError(
                    f"{row.place}, column {name!r}, holds {cost:g}, and {place} {value:g}: a cost is that of "
                    f"a whole run, here {row.method!r} with seed {row.seed}."
                )
    return {name: value for name, (value, _) in found.items()}


def _refuse_other_examples(run: Run, wanted: Sequence[str], of: str) -> None:
    """Raise InputError unless the run has a prediction for each of the examples `wanted`, and no other."""
    missing = [name for name in wanted if name not in run.predictions]
    added = set(run.predictions).difference(wanted)
    if not missing and not added:
        return
    lacks = f"lacks {_counted(missing)} that {of} has" if missing else ""
    more = f"has {_counted(sorted(added))} that {of} has not" if added else ""
    raise InputError(
        f"{run.place.rpartition(', row ')[0]}: {_said(run)} {' and '.join(filter(None, [lacks, more]))}. "
        "Methods are compared on the same examples: add the missing predictions, or leave the others out."
    )


def _said(run: Run) -> str:
    return f"{run.method!r} with seed {run.seed}"


def _counted(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:MOST_NAMED]))
    more = ", ..." if len(names) > MOST_NAMED else ""
    return f"{len(names)} example{'s' if len(names) > 1 else ''} ({shown}{more})"


def _refuse_both(rows: Sequence[Row]) -> None:
    """Raise InputError where a method has predictions in some rows only, or the untrained model two seeds."""
    first: dict[str, Row] = {}
    for row in rows:
        other = first.setdefault(row.method, row)
        if (other.prediction is None) != (row.prediction is None):
            raise InputError(
                f"{row.place}: {row.method!r} has predictions in one file and only scores in another "
                f"({other.place}). Leave one of them out, or give it another name."
            )
        if row.method == BASELINE and row.seed != other.seed:
            raise InputError(
                f"{row.place}: {BASELINE!r} is the untrained model, which has one seed; {other.place} is of "
                f"seed {other.seed}."
            )


def _quoted(rows: Sequence[Row]) -> list[Run]:
    """Return the runs of which only scores are known, a row each."""
    found: dict[tuple[str, int], Row] = {}
    for row in rows:
        if row.prediction is None:
            if row.run in found:
                raise InputError(
                    f"{row.place}: a second row of {row.method!r}, seed {row.seed}; the first is in "
                    f"{found[row.run].place}."
                )
            found[row.run] = row
    return [Run(r.method, r.seed, {}, r.costs, r.scores, r.place) for r in found.values()]
