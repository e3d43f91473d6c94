"""Pause each trial at its rungs, and promote the best: a method's first rung is filled before its second.

Where trials are stopped as they arrive (`asha`), the first ones run to the end whatever they are worth.
"""

from collections.abc import Iterator
from functools import partial

from search.config import Sweep
from search.records import Pause, Record, Stop, TrialStore, planned_trials
from search.schedulers.ladder import Ladder, Order, by_front, by_loss, by_score
from search.schedulers.scheduler import MethodScheduler
from trainables.rung_report import RungReport
from trainables.status import Status


class MethodPromotion(MethodScheduler):
    """Pauses every trial at its rung; it goes on, as a new trial of Tune's, when it is promoted.

    Tune's own pause is not used: a worker that takes a promoted trial finds its checkpoint, as one does that
    takes an interrupted trial. Nothing is kept here: a start finds in the records who is paused.
    """

    def __init__(self, store: TrialStore, sweep: Sweep) -> None:
        super().__init__(store, sweep.methods, sweep.search.costs)
        self.sweep = sweep
        by_either = sweep.search.promote_by == "score or loss"
        self.orders: list[Order] = [by_score, by_loss] if by_either else [by_score]
        if self.costs:
            self.orders = [partial(by_front, costs=self.costs_of)]

    def ends(self, record: Record, report: RungReport) -> Stop | Pause | None:
        """Pause what reports a rung for the first time; without a finite score it competes with nobody."""
        if report.status.has_ended:
            return None
        if report.rung < len(record.rungs):  # recorded already; after a crash a trial also repeats old rungs
            return None if record.status is Status.RUNNING else Pause()
        if report.score is not None:
            return Pause()
        return None if record.origin == "default" else Stop(rung=report.rung, value=None, cut_off=None)

    def settled(self) -> dict[str, Stop | None]:
        only_full = bool(self.costs)  # a new trial changes the Pareto fronts of others
        outs = (ladder.out(only_full=only_full) for ladder in self._ladders())
        return {trial: stop for out in outs for trial, stop in out.items()}

    def next_paused(self) -> Record | None:
        """Choose the best of a full rung, else the best so far, which is better than an idle worker.

        Of several methods that which has had fewest go on from the rung, the lower rung first.
        """
        ladders = list(self._ladders())
        for choose in (Ladder.firm, Ladder.likely):
            first = [(ladder, record) for ladder in ladders for record in choose(ladder)[:1]]
            if first:
                return min(first, key=lambda one: _turn(*one))[1]
        return None

    def _ladders(self) -> Iterator[Ladder]:
        factor = self.sweep.search.reduction_factor
        for method in self.methods:
            begun = self.store.search(method)
            yield Ladder(begun, planned_trials(self.sweep, method, begun), factor, self.orders)


def _turn(ladder: Ladder, record: Record) -> tuple[int, int]:
    rung = record.rungs[-1].rung
    return rung, ladder.gone_on(rung)
