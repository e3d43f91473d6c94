"""Methods of which only scores were imported: without a score a document there is nothing to test."""

from search.records import Results
from search.verdict.costs import costs_of_runs
from search.verdict.runs import over_seeds
from search.verdict.values import Quoted
from trainables import metrics


def quoted(results: Results) -> list[Quoted]:
    """List them, the highest mean of the task's metric first."""
    metric = results.sweep.task.metric
    runs = results.finals[results.finals["origin"] == "quoted"]
    if runs.empty:
        return []
    names = [name for name in runs if name == metric or name in metrics.scores()]
    table, costs = over_seeds(runs, names), costs_of_runs(runs)
    found = [
        Quoted(
            method=str(method),
            scores=row[[f"{name}_mean" for name in names]].set_axis(names).dropna().to_dict(),
            seeds=int(row["seeds"]),
            costs=costs[str(method)],
        )
        for method, row in table.iterrows()
    ]
    return sorted(found, key=lambda one: one.scores[metric], reverse=True)
