"""The report's section on a search that weighed costs against quality: what each method has to offer."""

from search.records import Record, Results
from search.report.markdown import code, section, table
from search.report.names import compact, metric_name
from search.statistics import front_ranks, hypervolume
from search.verdict import listed
from trainables.amounts import points, quantity
from trainables.cost.declared import COST_FIGURES
from trainables.status import Status


def fronts(results: Results) -> str:
    """Tabulate each method's non-dominated trials; empty where no cost was searched for."""
    costs = results.sweep.search.costs
    if not costs:
        return ""
    ended = {method: _ended(results.search(method), costs) for method in results.searched}
    if not any(ended.values()):
        return section("Trade-off in the search", "No trial has reached the full budget yet.")
    metric, figures = metric_name(results), [COST_FIGURES[cost] for cost in costs]
    rows = [
        [
            code(record.id),
            points(record.score),
            *(figure.unit.shown(record.cost[figure.name]) for figure in figures),
            compact(record.hyperparameters),
        ]
        for records in ended.values()
        for record in front(records, costs)
    ]
    note = (
        f"Completed trials of each method of which no other of the same method has both a higher {metric} on "
        f"validation and less {listed([figure.label for figure in figures], 'or')}. The final "
        f"retrains the one with the highest {metric}."
    )
    headings = [figure.heading for figure in figures]
    header = ["Trial", f"{metric} on validation", *headings, "Hyperparameters"]
    volumes = [_volumes(results, ended, cost) for cost in costs]
    return section("Trade-off in the search", table(header, rows), note, *volumes)


def front(records: list[Record], costs: list[str]) -> list[Record]:
    """Select the non-dominated trials, the cheapest by the first cost first."""
    if not records:
        return []
    losses = [[-(record.score or 0.0), *(record.cost[cost] or 0.0 for cost in costs)] for record in records]
    best = [record for record, rank in zip(records, front_ranks(losses), strict=True) if rank == 0]
    return sorted(best, key=lambda record: (record.cost[costs[0]], record.score))


def _ended(records: list[Record], costs: list[str]) -> list[Record]:
    completed = [
        record for record in records if record.status is Status.COMPLETED and record.score is not None
    ]
    return [record for record in completed if all(record.cost.get(cost) is not None for cost in costs)]


def _volumes(results: Results, ended: dict[str, list[Record]], cost: str) -> str:
    """Tabulate each method's hypervolume, all measured from the same reference point."""
    every = [record for records in ended.values() for record in records]
    worst, dearest = min(r.score or 0.0 for r in every), max(r.cost[cost] or 0.0 for r in every)
    rows = []
    for method, records in ended.items():
        spent, scores = [r.cost[cost] or 0.0 for r in records], [r.score or 0.0 for r in records]
        volume = hypervolume(spent, scores, reference_cost=dearest, reference_quality=worst)
        rows.append([code(method), quantity(float(volume) if records else 0.0)])
    figure = COST_FIGURES[cost]
    corner = f"{points(worst)} points and {figure.label} {figure.unit.shown(dearest)}"
    note = f"The area that a front encloses with {corner}, the worst of all completed trials."
    return table(["Method", f"Hypervolume, {figure.heading}"], rows) + f"\n\n{note}"
