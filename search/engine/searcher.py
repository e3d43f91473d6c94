"""Hand trials to Tune: in the search the proposals of one study a method, in the final a fixed list.

A record that failed is handed out again as a new trial of Tune's, which goes on from its checkpoint.
"""

import sys
from collections.abc import Callable, Iterable
from typing import Any

from ray.tune.search import Searcher

from search.records import Plan, Record, TrialStore, next_method
from search.schedulers import MethodScheduler
from search.studies import MethodStudy, proposal, show_if_due
from trainables.status import Status


class RecordQueue(Searcher):
    """Hands out records: those that are waiting, then those that `next_record` makes.

    It is not finished while trials run, for each of them may come back.
    """

    def __init__(self, plan: Plan, store: TrialStore, waiting: Iterable[Record]) -> None:
        super().__init__()
        self.plan = plan
        self.store = store
        self._waiting = [record for record in waiting if not record.whole_gpu]
        self.held_back = [record for record in waiting if record.whole_gpu]
        """Those that need a whole GPU, which an experiment of their own gives them."""
        self.shares_gpus = False
        """Whether what it hands out has a part of a GPU."""
        self._running: set[str] = set()
        self.room: Callable[[], int] = lambda: sys.maxsize
        """Returns how many trials may run at a time; called before each, as machines come and go."""
        self.is_over: Callable[[], bool] = lambda: False
        """Returns whether nothing may begin any more, whatever waits."""

    def next_record(self) -> Record | None:
        """Enter a new trial in the trial store and return it; None if nothing is left to do."""
        return None

    def settle(self) -> list[Record]:
        """Decide on trials that have left their worker; return the records that ended by it."""
        return []

    def has_next(self) -> bool:
        """Tell whether anything but what is held back could be handed out, without entering it."""
        return bool(self._waiting)

    def suggest(self, trial_id: str) -> Any:
        """Return the configuration of Tune's trial `trial_id`; None to be asked later; or `FINISHED`."""
        if len(self._running) >= self.room():
            return None
        record = None if self.is_over() else self._waiting.pop(0) if self._waiting else self.next_record()
        if record is None:
            return None if self._running else Searcher.FINISHED
        self._running.add(trial_id)
        return {"assignment": self.plan.assignment(record).model_dump()}

    def release_held_back(self) -> None:
        """Hand out those that were held back, when nothing else is left."""
        self._waiting += self.held_back

    def again(self, record: Record) -> None:
        """Put a record that has not ended first in the queue."""
        self._waiting.insert(0, record)

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Free the trial's place; the recorder writes the trial store and updates the studies."""
        self._running.discard(trial_id)

    def set_max_concurrency(self, max_concurrent: int) -> bool:
        """Tell Tune not to add a ConcurrencyLimiter; `room` limits dynamically."""
        return True

    def set_search_properties(self, metric: str | None, mode: str | None, config: Any, **spec: Any) -> bool:
        return True

    def save(self, checkpoint_path: str) -> None:
        """Do nothing: the searcher's state is the trial store."""

    def restore(self, checkpoint_path: str) -> None:
        raise AssertionError("a sweep is resumed from its trial store, not by Tuner.restore")

    def __getstate__(self) -> dict[str, Any]:
        return {}


class MethodSearch(RecordQueue):
    """The search: equally many trials of each method, or equal time; all methods advance together.

    A worker takes up what was interrupted, else begins a new trial, else takes one that is paused.
    """

    def __init__(
        self, plan: Plan, store: TrialStore, studies: dict[str, MethodStudy], scheduler: MethodScheduler
    ) -> None:
        self.studies = studies
        self.scheduler = scheduler
        begun = [record for method in studies for record in store.search(method)]
        super().__init__(plan, store, [record for record in begun if record.status is Status.RUNNING])
        self.settle()  # the driver may have died before it did, or another scheduler has paused trials

    def suggest(self, trial_id: str) -> Any:
        show_if_due(self.studies)  # Tune asks at every step of its loop, also when there is no room
        return super().suggest(trial_id)

    def next_record(self) -> Record | None:
        if (method := self._next_method()) is None:
            paused = self.scheduler.next_paused()
            return self._go_on(paused.id) if paused else None
        record = proposal(self.plan.sweep, self.studies[method], len(self.store.search(method)))
        self.store.begin(record)
        return record

    def settle(self) -> list[Record]:
        settled = self.scheduler.settled()
        for trial, stop in settled.items():
            if stop is None:
                self.again(self._go_on(trial))
            else:
                self._tell(self.store.stop(trial, stop))
        return [self.store.records[trial] for trial, stop in settled.items() if stop]

    def has_next(self) -> bool:
        has_begun = self._next_method() is None
        return not has_begun or super().has_next() or self.scheduler.next_paused() is not None

    def _next_method(self) -> str | None:
        return next_method(self.plan.sweep, {method: self.store.search(method) for method in self.studies})

    def _go_on(self, trial: str) -> Record:
        return self._tell(self.store.go_on(trial))

    def _tell(self, record: Record) -> Record:
        self.studies[record.method].tell(record)
        return record
