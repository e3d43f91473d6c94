"""What Tune runs next: in the qualifying proposals of one study a method, in the final a fixed list."""

from collections.abc import Iterable
from typing import Any

from ray.tune.search import Searcher

from search.assignments import Plan
from search.ledger import Ledger
from search.records import Record, now
from search.seeds import derived_seed
from search.studies import MethodStudy, trial_id


class RecordQueue(Searcher):
    """Hands out records: those that are waiting, then those that `next_record` makes."""

    def __init__(self, plan: Plan, ledger: Ledger, waiting: Iterable[Record]) -> None:
        super().__init__()
        self.plan = plan
        self.ledger = ledger
        self._waiting = list(waiting)

    def next_record(self) -> Record | None:
        """A new trial, entered in the ledger; None when there is nothing more to do."""
        return None

    def suggest(self, trial_id: str) -> Any:
        """The configuration of Tune's trial `trial_id`, or that there is nothing more to run."""
        record = self._waiting.pop(0) if self._waiting else self.next_record()
        if record is None:
            return Searcher.FINISHED
        return {"assignment": self.plan.assignment(record).model_dump()}

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Nothing to learn here: the recorder writes the ledger and tells the studies."""

    def set_search_properties(self, metric: str | None, mode: str | None, config: Any, **spec: Any) -> bool:
        return True

    def save(self, checkpoint_path: str) -> None:
        """Tune snapshots its searcher; this one's state is the ledger."""

    def restore(self, checkpoint_path: str) -> None:
        raise AssertionError("a sweep is resumed from its ledger, not by Tuner.restore")

    def __getstate__(self) -> dict[str, Any]:
        return {}


class MethodSearch(RecordQueue):
    """The qualifying: equally many trials of each method, interleaved so that all advance together."""

    def __init__(self, plan: Plan, ledger: Ledger, studies: dict[str, MethodStudy]) -> None:
        self.studies = studies
        begun = [record for method in studies for record in ledger.qualifying(method)]
        super().__init__(plan, ledger, [record for record in begun if record.status == "running"])

    def next_record(self) -> Record | None:
        counts = {method: len(self.ledger.qualifying(method)) for method in self.studies}
        method = min(counts, key=counts.__getitem__)
        number = counts[method]
        if number >= self.plan.sweep.qualifying.trials_per_method:
            return None
        hyperparameters, origin = self.studies[method].propose(number)
        record = Record(
            id=trial_id(method, number),
            method=method,
            number=number,
            phase="qualifying",
            split="validation",
            origin=origin,
            hyperparameters=hyperparameters,
            seed=derived_seed(self.plan.sweep.seed, method, "qualifying", number),
            started=now(),
        )
        self.ledger.begin(record)
        return record
