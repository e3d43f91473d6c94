import math
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest
from ray import cloudpickle
from ray.tune.schedulers import TrialScheduler

from search.records.record import Record, Stop
from search.records.run_folder import RunFolder
from search.records.trial_store import TrialStore
from search.schedulers.asha import MethodASHA, Rungs
from tests.search.tuned import TuneTrial, flat
from trainables.rung_report import RungReport


def passes(told: list[float], value: float, factor: int) -> bool:
    """ASHA restated: with this value there are n in the rung; it must be among the best ceil(n / factor).

    Whoever came first is ahead in a tie.
    """
    ahead = sum(other >= value for other in told)
    return ahead < math.ceil((len(told) + 1) / factor)


@pytest.mark.parametrize("seed", range(60))
def test_decisions_are_those_of_a_restatement(seed):
    random = Random(seed)
    factor = random.choice([2, 3, 4])
    rungs, told = Rungs(factor), []
    for number in range(random.randint(1, 60)):
        # Few different values, so that ties are frequent.
        value = random.choice([random.randint(0, 5), round(random.gauss(2, 2), 1)])
        stop = rungs.decide(f"t{number}", 0, value)
        assert (stop is None) == passes(told, value, factor)
        if stop is not None:
            assert (stop.rung, stop.value) == (0, value)
            least = min(v for v in {*told} if passes(told, v + 1e-9, factor))
            assert stop.cut_off == least  # anything above it would have gone on
        told.append(value)


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_of_equal_scores_only_the_best_share_runs_on(factor):
    rungs = Rungs(factor)
    passed = sum(rungs.decide(f"t{n}", 0, 0.0) is None for n in range(100))
    assert passed == 1


def test_each_trial_that_improves_on_the_last_passes():
    rungs = Rungs(3)
    assert all(rungs.decide(f"t{n}", 0, float(n)) is None for n in range(30))


def test_a_falling_sequence_stops_all_but_the_first():
    rungs = Rungs(3)
    assert [rungs.decide(f"t{n}", 0, -float(n)) is None for n in range(9)] == [True] + 8 * [False]


def test_none_stops_and_competes_with_nobody():
    rungs = Rungs(2)
    assert rungs.decide("a", 0, None) == Stop(rung=0, value=None, cut_off=None)
    assert rungs.decide("b", 0, -1e9) is None


def test_rungs_are_apart():
    rungs = Rungs(3)
    rungs.enter("a", 1, 50.0)
    assert rungs.decide("b", 0, 1.0) is None
    assert rungs.decide("b", 1, 1.0) == Stop(rung=1, value=1.0, cut_off=50.0)


@pytest.mark.parametrize("seed", range(20))
def test_what_is_told_twice_is_decided_alike_and_counts_once(seed):
    random = Random(seed)
    once, twice = Rungs(3), Rungs(3)
    for number in range(30):
        value = float(random.randint(0, 9))
        first = once.decide(f"t{number}", 0, value)
        assert twice.decide(f"t{number}", 0, value) == first
        assert twice.decide(f"t{number}", 0, value) == first


class Search:
    """Trial store and scheduler of two methods."""

    def __init__(self, root: Path, factor: int = 3, costs: Sequence[str] = ()) -> None:
        self.store = TrialStore(RunFolder(root))
        self.factor = factor
        self.costs = costs
        self.restart()

    def restart(self) -> None:
        self.store = TrialStore(self.store.folder)
        self.asha = MethodASHA(self.store, ["full", "lora"], self.factor, self.costs)

    def begin(self, method: str, number: int) -> str:
        record = Record(
            id=f"{method}/{number:04d}",
            method=method,
            number=number,
            phase="search",
            split="validation",
            origin="sampled" if number else "default",
            hyperparameters={},
            seed=0,
            started="",
        )
        self.store.begin(record)
        return record.id

    def decide(self, trial: str, report: RungReport) -> str:
        """The scheduler's word alone."""
        return self.asha.on_trial_result(None, TuneTrial({"assignment": {"trial": trial}}), flat(report))

    def tell(self, trial: str, rung: int, score: float | None, **cost: float) -> Record:
        report = report_of(rung, score, **cost)
        stop = self.asha.ends(self.store.records[trial], report)
        return self.store.report(trial, report, stop)


def report_of(rung: int, score: float | None, **cost: float) -> RungReport:
    status = "completed" if rung == 2 else "running"
    return RungReport(rung=rung, examples=10 * 3**rung, score=score, cost=cost, status=status)


@pytest.fixture
def search(tmp_path: Path) -> Search:
    return Search(tmp_path)


def test_the_default_is_never_stopped_and_others_compete_with_it(search):
    best, default = search.begin("full", 0), None
    search.tell(best, 0, 1.0)
    for number in range(1, 6):
        assert search.tell(search.begin("full", number), 0, 10.0 + number).status == "running"
    default = search.begin("lora", 0)
    assert search.tell(default, 0, 0.5).status == "running"
    worse = search.tell(search.begin("lora", 1), 0, 0.4)
    assert worse.stop == Stop(rung=0, value=0.4, cut_off=0.5)
    assert search.tell(default, 1, None).status == "running"


def test_methods_never_compete(search):
    for number in range(5):
        search.tell(search.begin("full", number), 0, 90.0 + number)
    search.tell(search.begin("lora", 0), 0, 1.0)
    assert search.tell(search.begin("lora", 1), 0, 2.0).status == "running"


def test_costs_are_weighed_as_tune_tells_them(tmp_path):
    search = Search(tmp_path, costs=["train_seconds"])
    for number in range(3):
        search.tell(search.begin("full", number), 0, 50.0 - number, train_seconds=100.0)
    assert search.tell(search.begin("full", 3), 0, 40.0, train_seconds=10.0).status == "running"
    dear = search.tell(search.begin("full", 4), 0, 40.0, train_seconds=101.0)
    assert dear.stop == Stop(rung=0, value=40.0, cut_off=None, front=3)
    assert search.tell(search.begin("full", 5), 0, 40.0).status == "stopped"  # what it cost is unknown


def test_a_stopped_trial_says_why(search):
    search.tell(search.begin("full", 0), 0, 5.0)
    record = search.tell(search.begin("full", 1), 0, None)
    assert (record.status, record.stop) == ("stopped", Stop(rung=0, value=None, cut_off=None))
    assert record.ended is not None


def test_a_rung_that_was_passed_is_not_decided_again(search):
    early = search.begin("lora", 0), search.begin("lora", 1)
    for trial in early:
        search.tell(trial, 0, 1.0 if trial == early[0] else 2.0)
    for number in range(2, 9):
        search.tell(search.begin("lora", number), 0, 10.0 + number)
    assert search.decide(early[1], report_of(0, 2.0)) == TrialScheduler.CONTINUE


def test_rungs_told_again_after_a_crash_are_passed_again_every_one(search):
    """A worker that comes back repeats all its reports; by now the rungs are fuller."""
    default, early = search.begin("lora", 0), search.begin("lora", 1)
    search.tell(default, 0, 1.0)
    search.tell(early, 0, 2.0)
    search.tell(early, 1, 3.0)
    for number in range(2, 9):
        later = search.begin("lora", number)
        search.tell(later, 0, 10.0 + number)
        search.tell(later, 1, 20.0 + number)
    assert search.tell(early, 0, 2.0).status == "running"
    assert search.tell(early, 1, 3.0).status == "running"
    assert [rung.score for rung in search.store.records[early].rungs] == [2.0, 3.0]


@pytest.mark.parametrize("seed", range(3))
def test_rungs_rebuilt_from_the_trial_store_decide_like_unbroken_ones(tmp_path, seed):
    """Four trials at a time report in any order; one of two searches is begun anew now and then."""
    random = Random(seed)
    unbroken, broken = Search(tmp_path / "unbroken"), Search(tmp_path / "broken")
    waiting = [(method, number) for number in range(8) for method in ("full", "lora")]
    live: list[tuple[str, int]] = []
    while live or waiting:
        while waiting and len(live) < 4:
            method, number = waiting.pop(0)
            unbroken.begin(method, number)
            live.append((broken.begin(method, number), 0))
        trial, rung = live.pop(random.randrange(len(live)))
        if random.random() < 0.4:
            broken.restart()
        score = float(random.randint(0, 30))
        first, second = (search.tell(trial, rung, score) for search in (unbroken, broken))
        assert (first.status, first.stop) == (second.status, second.stop)
        if first.status == "running":
            live.append((trial, rung + 1))
    stopped = sum(record.status == "stopped" for record in unbroken.store.records.values())
    assert 3 < stopped < 16


def test_it_can_be_pickled_as_tune_does(search):
    search.tell(search.begin("full", 0), 0, 1.0)
    assert isinstance(cloudpickle.loads(cloudpickle.dumps(search.asha)), MethodASHA)
