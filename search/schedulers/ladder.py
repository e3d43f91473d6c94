"""Where the trials of one method stand: who is out at a rung, and who may go on from it.

Successive halving (Jamieson & Talwalkar, 2016, arXiv 1502.07943) by promotion, which becomes asynchronous
(Li et al., 2020, arXiv 1810.05934) only where a worker would be idle. All of it follows from the records.
"""

from collections.abc import Callable, Sequence
from typing import Any

from search.config import places
from search.records import Record, Stop
from search.statistics import front_ranks
from trainables.rung_report import Cost, Rung
from trainables.status import Status


class Ladder:
    """The rungs of one method.

    Args:
        records: its trials so far.
        planned: trials that it will have had.
        reduction_factor: one in so many trials goes on from a rung.
        orders: of trials at a rung; a trial goes on that is among the best by any of them.
    """

    def __init__(
        self, records: Sequence[Record], planned: int, reduction_factor: int, orders: Sequence["Order"]
    ) -> None:
        self.records = records
        self.planned = planned
        self.reduction_factor = reduction_factor
        self.orders = orders
        paused = [record for record in records if record.status is Status.PAUSED]
        self.paused_at = sorted({record.rungs[-1].rung for record in paused})
        """The rungs at which trials are paused."""
        self._standings: dict[int, list[list[Record]]] = {}

    def places(self, rung: int) -> int:
        """Count the trials that go on from a rung."""
        return places(self.planned, self.reduction_factor, rung)

    def standings(self, rung: int) -> list[list[Record]]:
        """Sort all that were scored at a rung, the best first, by each order; in a tie who began first."""
        if rung not in self._standings:
            scored = [r for r in self.records if len(r.rungs) > rung and r.rungs[rung].score is not None]
            keys = [order([record.rungs[rung] for record in scored]) for order in self.orders]
            self._standings[rung] = [_in_order(scored, key) for key in keys]
        return self._standings[rung]

    def is_closed(self, rung: int) -> bool:
        """Tell whether no trial may come to a rung any more: none is to begin, on its way or paused below."""
        if len(self.records) < self.planned or min(self.paused_at, default=rung) < rung:
            return False
        return all(len(r.rungs) > rung for r in self.records if r.status is Status.RUNNING)

    def out(self, *, only_full: bool = False) -> dict[str, Stop]:
        """Map paused trials to why they never go on: those that do are ahead of them for good.

        The default configuration always goes on. `only_full`: where later trials may change the order of
        earlier ones, only in a full rung.
        """
        rungs = [rung for rung in self.paused_at if self.is_closed(rung) or not only_full]
        return {
            record.id: self._stop(record, rung)
            for rung in rungs
            for record in self._paused(rung)
            if record.origin != "default" and record.id not in self._best(rung, self.places(rung))
        }

    def firm(self) -> list[Record]:
        """List the paused trials of a full rung, the best first: what is out is no longer paused."""
        return [r for rung in self.paused_at[:1] if self.is_closed(rung) for r in self._paused(rung)]

    def likely(self) -> list[Record]:
        """List the paused trials among the best share of those so far, the lowest rung and the best first."""
        shares = {rung: len(self.standings(rung)[0]) // self.reduction_factor for rung in self.paused_at}
        best = {rung: self._best(rung, share) for rung, share in shares.items()}
        return [record for rung in best for record in self._paused(rung) if record.id in best[rung]]

    def gone_on(self, rung: int) -> int:
        """Count the trials that have gone on from a rung."""
        return sum(len(r.rungs) > rung + (r.status is not Status.RUNNING) for r in self.records)

    def _paused(self, rung: int) -> list[Record]:
        first = self.standings(rung)[0]
        return [r for r in first if r.status is Status.PAUSED and r.rungs[-1].rung == rung]

    def _best(self, rung: int, count: int) -> set[str]:
        return {record.id for standing in self.standings(rung) for record in standing[:count]}

    def _stop(self, record: Record, rung: int) -> Stop:
        standings = [[one.id for one in standing] for standing in self.standings(rung)]
        ranks = [standing.index(record.id) + 1 if record.id in standing else None for standing in standings]
        return Stop(
            rung=rung,
            value=record.score,
            cut_off=None,
            rank=ranks[0],
            rank_by_loss=ranks[1] if len(ranks) > 1 else None,
            of=len(standings[0]),
            go_on=self.places(rung),
        )


Order = Callable[[Sequence[Rung]], Sequence[Any]]
"""From what trials reached at a rung to a key for each, to be low; None: it has no place in this order."""


def _in_order(records: Sequence[Record], keys: Sequence[Any]) -> list[Record]:
    known = [place for place, key in enumerate(keys) if key is not None]
    return [records[place] for place in sorted(known, key=keys.__getitem__)]


def by_score(rungs: Sequence[Rung]) -> list[float]:
    """Order trials by their score, the highest first."""
    return [-(rung.score or 0.0) for rung in rungs]


def by_loss(rungs: Sequence[Rung]) -> list[float | None]:
    """Order trials by their validation loss."""
    return [rung.loss for rung in rungs]


def by_front(rungs: Sequence[Rung], costs: Callable[[Cost], tuple[float, ...]]) -> list[tuple[int, float]]:
    """Order trials by Pareto front, and by score within one (Schmucker et al., 2021, arXiv 2106.12639)."""
    losses = [(loss, *costs(rung.cost)) for loss, rung in zip(by_score(rungs), rungs, strict=True)]
    return [(front, loss[0]) for front, loss in zip(front_ranks(losses), losses, strict=True)]
