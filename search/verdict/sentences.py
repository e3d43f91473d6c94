"""A verdict in words: plain text, without markup."""

import math
from collections.abc import Iterable, Iterator, Sequence

from search.records import BASELINE, Results, winner
from search.verdict.values import Lead, MethodVerdict, Pair, Quoted, Recommendation
from search.verdict.words import listed, score_name
from trainables.cost.declared import COST_FIGURES


def advice(recommendations: Iterable[Recommendation], *, of_those_compared: bool = False) -> Iterator[str]:
    """Yield a sentence for each recommended method, and one for the costs that no method saves on.

    `of_those_compared`: there are others, which one seed leaves out.
    """
    among = " of those compared" if of_those_compared else ""
    groups: dict[tuple[str, bool], list[Recommendation]] = {}
    for found in recommendations:
        in_vain = found.method == found.best and not found.is_cheapest
        groups.setdefault((found.method, in_vain), []).append(found)
    for (method, in_vain), group in groups.items():
        found = group[0]
        within = f"within {found.margin:g} {'point' if found.margin == 1 else 'points'} of"
        if method == found.best:
            costs = listed([COST_FIGURES[one.axis].label for one in group], "or")
            named = _in_vain if in_vain else _cheapest_and_highest
            yield f"To save on {costs}: {named(found, among, f'{within} the best')}."
        else:
            costs = listed([f"{COST_FIGURES[one.axis].label} ({_share(one)})" for one in group], "or")
            lower = f"it is {found.shortfall:.2f} points lower, and {within} the best at 95 %"
            yield f"To save on {costs}: {method}, at that share of what {found.best} takes; {lower}."


def _cheapest_and_highest(found: Recommendation, among: str, within: str) -> str:
    highest = f"{found.best}, which also scores highest{among}"
    if not found.tied:
        return highest
    sure = f"{within} at 95 %" if found.is_shown else f"is not shown to be {within}"
    return f"{highest}; it is tied with {listed(found.tied)}, and {sure}"


def _in_vain(found: Recommendation, among: str, within: str) -> str:
    """Say that nothing cheaper than the method with the highest mean is shown to be as good."""
    tied = f"tied with {listed(found.tied)}"
    if not found.is_shown and found.tied:
        highest = f"{found.best}, which scores highest{among} but is {tied}"
        return f"neither {highest}, nor anything cheaper is shown to be {within}"
    nothing = f"nothing cheaper than {found.best}, which scores highest{among}, is shown to be {within}"
    return f"{nothing}; {found.best} is {tied}" if found.tied else nothing


def _share(found: Recommendation) -> str:
    return f"{100 * found.cost / found.best_cost:.2g} %"


def summary(
    results: Results,
    methods: Sequence[MethodVerdict],
    pairs: Sequence[Pair],
    lead: Lead | None,
    quoted: Sequence[Quoted] = (),
) -> str:
    """Name the best method, its lead over the untrained model, and the methods it is tied with.

    A method with one seed is the best of nothing: where others have more, the best is one of those.
    """
    if not methods:
        return _of_quoted(results, quoted) if quoted else _so_far(results)
    trained = [method for method in methods if method.method != BASELINE]
    metric = score_name(results.sweep.task.metric)
    if not trained:
        return f"Only the untrained model has been scored on test: {metric} {_measured(methods[0])}."
    compared, single = [m for m in trained if m.seeds > 1], [m for m in trained if m.seeds == 1]
    best = (compared or trained)[0]
    among = "Of the methods with two seeds or more " if compared else "With one seed a method, "
    measured = f"{metric} {_measured(best)}, {_lead(best, methods, pairs)}"
    parts = [
        f"{among if single else ''}{best.method} scores highest on test: {measured}.",
        *_ties(trained, compared, lead),
        *_one_seed(results, single, others=bool(compared)),
    ]
    return " ".join(parts)


def _of_quoted(results: Results, quoted: Sequence[Quoted]) -> str:
    metric = results.sweep.task.metric
    return (
        f"{quoted[0].method} has the highest {score_name(metric)}, {quoted[0].scores[metric]:.2f}; whether "
        "it is better than the others cannot be told: scores of the whole corpus, without predictions, are a "
        "table without tests."
    )


def _one_seed(results: Results, single: Sequence[MethodVerdict], *, others: bool) -> Iterator[str]:
    """Say that one seed compares no methods, and how to get more seeds."""
    if single and others:
        names = listed([f"{method.method} ({method.score.mean:.2f})" for method in single])
        verb = "is" if len(single) == 1 else "are"
        remedy = _more_seeds(results, single)
        yield f"Not compared {verb} {names}, as one seed cannot tell methods apart: {remedy}."
    elif single:
        yield f"One seed cannot tell methods apart: {_more_seeds(results, single)}."


def _more_seeds(results: Results, single: Sequence[MethodVerdict]) -> str:
    if all(method.method in results.imported for method in single):
        return "import predictions of two seeds or more of each"
    planned = results.sweep.final.seeds
    if planned > 1:
        return f"{planned} are planned, and have not all finished"
    return (
        "set final.seeds: 3 and run the sweep again on the same folder (tuneoff run SWEEP --set "
        "final.seeds=3), which adds the missing runs"
    )


def _measured(method: MethodVerdict) -> str:
    score = method.score
    if math.isnan(score.low):
        return f"{score.mean:.2f}"
    over = " over documents only" if method.seeds == 1 and method.method != BASELINE else ""
    return f"{score.mean:.2f} (95 % interval{over} {score.low:.2f} to {score.high:.2f})"


def _lead(best: MethodVerdict, methods: Sequence[MethodVerdict], pairs: Sequence[Pair]) -> str:
    untrained = next((method for method in methods if method.method == BASELINE), None)
    if untrained is None:
        return "the untrained model was not scored"
    effect = best.score.mean - untrained.score.mean
    pair = next((pair for pair in pairs if {pair.better, pair.worse} == {best.method, BASELINE}), None)
    interval = "" if pair is None or math.isnan(pair.low) else f" ({pair.low:.2f} to {pair.high:.2f})"
    doubt = "" if pair is None or pair.significant else ", which may be chance"
    side = "below" if effect < 0 else "above"
    return f"{abs(effect):.2f} points{interval} {side} the untrained model{doubt}"


def _ties(
    trained: Sequence[MethodVerdict], compared: Sequence[MethodVerdict], lead: Lead | None
) -> Iterator[str]:
    """Say which methods the best of `compared` differs from, and which it does not."""
    if len(trained) == 1:
        yield "No other method has been scored."
    elif len(compared) == 1:
        yield "No other method has two seeds."
    elif lead and lead.significant:
        every_other = "every other method" if len(compared) == len(trained) else "every other of them"
        yield f"It is better than {every_other} (against each at the 5 % level)."
    elif lead:
        rest = ", and is better than the others" if len(lead.tied) < len(compared) - 1 else ""
        yield (
            f"It cannot be told apart from {listed(lead.tied)}{rest} (at the 5 % level, corrected for the "
            "number of pairs)."
        )


def _so_far(results: Results) -> str:
    winners = [best for method in results.methods if (best := winner(results.search(method)))]
    if not winners:
        return "Nothing can be said yet: no trial has been completed."
    best = max(winners, key=lambda record: record.score or 0.0)
    metric = score_name(results.sweep.task.metric)
    return (
        f"No method has been scored on test yet. On validation the best trial so far is {best.id} with "
        f"{metric} {best.score:.2f}; but validation scores are there to choose a method's hyperparameters, "
        "not to compare methods."
    )
