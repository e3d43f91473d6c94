"""What the page says first: one sentence, as strong as the verdict allows, and what was not found."""

from collections.abc import Iterator
from dataclasses import dataclass

from search.records import BASELINE
from search.verdict import MethodVerdict, Pair, Recommendation, Verdict, listed, score_name
from trainables.amounts import within

MAIN_COSTS = ("trainable_parameters", "peak_memory_bytes", "train_seconds")
"""The costs that most choices turn on, as the headline and the forest plot show them."""
_SPENT = {
    "trainable_parameters": "of the trainable parameters",
    "peak_memory_bytes": "of the memory",
    "train_seconds": "of the training time",
}
_MOST_NAMED = 4


@dataclass(frozen=True)
class Headline:
    """Plain text without markup."""

    sentence: str
    not_found: list[str]
    """What the sweep does not show, each to follow "Not found:"; empty where nothing is missing."""


def headline(verdict: Verdict) -> Headline:
    """Put the verdict in one sentence: it names a method to use only where the verdict recommends it."""
    trained = [method for method in verdict.methods if method.method != BASELINE]
    if verdict.lead is None or not verdict.recommendations:
        return Headline(_alone(verdict, trained), list(_too_few(verdict, trained)))
    cheaper = [found for found in _main(verdict) if found.method != found.best]
    if cheaper:
        return Headline(_cheaper(verdict, cheaper), list(_not_found(verdict, cheaper[0].method)))
    return Headline(_best(verdict), list(_not_found(verdict, verdict.lead.best)))


def _main(verdict: Verdict) -> list[Recommendation]:
    """Return the recommendations by the main costs; by all others where none of these was measured."""
    found = [one for axis in MAIN_COSTS for one in verdict.recommendations if one.axis == axis]
    return found or verdict.recommendations


def _cheaper(verdict: Verdict, found: list[Recommendation]) -> str:
    """Name the method that is recommended by most of the main costs, and what it saves by those."""
    named = [one.method for one in found]
    method = max(dict.fromkeys(named), key=named.count)
    mine = [one for one in found if one.method == method]
    pair = _pair(verdict, mine[0].best, method)
    difference = f" ({_difference(pair, method)} {score_name(verdict.metric)})" if pair else ""
    saved = [
        f"{100 * one.cost / one.best_cost:.2g} % {_SPENT[one.axis]}" for one in mine if one.axis in _SPENT
    ]
    costs = f", with {listed(saved)}" if saved else ""
    return f"Use {method}: within {_margin(mine[0])} of {mine[0].best}{difference}{costs}"


def _best(verdict: Verdict) -> str:
    lead, best = verdict.lead, _of(verdict, verdict.lead.best if verdict.lead else "")
    assert lead is not None
    if not lead.significant and all(one.is_shown and one.is_cheapest for one in _main(verdict)):
        margin = _margin(verdict.recommendations[0])
        return (
            f"Use {lead.best}: the cheapest, and within {margin} of the best at {_measured(verdict, best)}, "
            f"the highest score; it ties with {_some(lead.tied)}"
        )
    if not lead.significant:
        others = _some(lead.tied)
        measured = _measured(verdict, best)
        return f"No single best method: {lead.best} scores highest, {measured}, but ties with {others}"
    pair = _pair(verdict, lead.best, lead.closest)
    ahead = f"; the closest, {lead.closest}, {_difference(pair, lead.closest)}" if pair else ""
    return f"Use {lead.best}: better than every other method, {_measured(verdict, best)}{ahead}"


def _alone(verdict: Verdict, trained: list[MethodVerdict]) -> str:
    """Say what there is where no methods are compared."""
    if not trained:
        return verdict.summary.partition(". ")[0].rstrip(".")
    best, several = trained[0], len(trained) > 1
    baseline = next((method for method in verdict.methods if method.method == BASELINE), None)
    side = "above" if baseline and best.score.mean >= baseline.score.mean else "below"
    apart = abs(best.score.mean - baseline.score.mean) if baseline else 0.0
    lead = f", {apart:.1f} points {side} the untrained model" if baseline else ""
    first = f"{best.method} has the highest mean" if several else f"{best.method} reaches"
    return f"{first}{':' if several else ''} {_measured(verdict, best)}{lead}"


def _too_few(verdict: Verdict, trained: list[MethodVerdict]) -> Iterator[str]:
    if len(trained) == 1:
        yield f"whether another method is better: {trained[0].method} is the only one with a score on test"
    elif trained:
        yield "which method is best: one seed cannot tell methods apart"


def _not_found(verdict: Verdict, chosen: str) -> Iterator[str]:
    """Yield what the comparison leaves open, whatever the headline says."""
    lead = verdict.lead
    assert lead is not None
    if lead.tied:
        yield f"a difference between {lead.best} and {_some(lead.tied, 'or')}"
    in_vain = [one for one in _main(verdict) if one.method == one.best and not one.is_cheapest]
    if in_vain and chosen == lead.best:
        yield f"a cheaper method that is shown to be within {_margin(in_vain[0])} of the best"
    if verdict.uncompared:
        yield f"what {listed(verdict.uncompared)} are worth beside the others: one seed each"


def _margin(found: Recommendation) -> str:
    return f"{found.margin:g} {'point' if found.margin == 1 else 'points'}"


def _some(names: list[str], last: str = "and") -> str:
    rest = len(names) - _MOST_NAMED
    return listed(names, last) if rest <= 1 else f"{', '.join(names[:_MOST_NAMED])} {last} {rest} more"


def _measured(verdict: Verdict, method: MethodVerdict) -> str:
    score = method.score
    return f"{within(score.mean, score.low, score.high)} {score_name(verdict.metric)}"


def _of(verdict: Verdict, name: str) -> MethodVerdict:
    return next(method for method in verdict.methods if method.method == name)


def _pair(verdict: Verdict, better: str, worse: str) -> Pair | None:
    return next((pair for pair in verdict.pairs if {pair.better, pair.worse} == {better, worse}), None)


def _difference(pair: Pair, method: str) -> str:
    """Write a method's mean minus the other's."""
    if pair.better == method:
        return within(pair.effect, pair.low, pair.high, "+")
    return within(-pair.effect, -pair.high, -pair.low, "+")
