"""The oracles on which searches are compared, and what is counted of a search."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from benchmarks import search
from benchmarks.searches import SEARCHES, Compared
from benchmarks.simulation import Curve, MethodCurves, Oracle, crossing, fitted, lcbench, read
from benchmarks.simulation.fitted import noise
from benchmarks.simulation.oracles import features
from spaces import Space
from trainables.errors import InputError

PARTS = {
    "learning_rate": FloatDistribution(1e-4, 1e-2, log=True),
    "rank": IntDistribution(1, 5),
    "targets": CategoricalDistribution(("attention", "all-linear")),
}
DEFAULT = {"learning_rate": 1e-4, "rank": 1, "targets": "attention"}
RUNGS = [1, 3, 9, 27]


def bowl(points):
    """Highest, 5, at 1e-3 with rank 5; half of it at the rung before, and so on."""
    finals = [5 - (np.log10(p["learning_rate"]) + 3) ** 2 - (5 - p["rank"]) for p in points]
    return np.outer(finals, [0.125, 0.25, 0.5, 1.0])


@pytest.fixture
def oracle() -> Oracle:
    return Oracle("bowl", Space("lora", PARTS, DEFAULT), RUNGS, bowl, [0.0] * 4)


class TestOracles:
    def test_the_best_is_found(self, oracle):
        assert oracle.best == pytest.approx(5, abs=1e-3)
        assert oracle.final(DEFAULT) == pytest.approx(0)

    def test_a_curve_has_the_noise_that_was_asked_for(self, oracle):
        noisy = Oracle("noisy", oracle.space, RUNGS, bowl, [2.0] * 4)
        seen = np.array([noisy.curve(DEFAULT, seed).scores for seed in range(1500)])
        assert seen.mean(axis=0) == pytest.approx([0] * 4, abs=0.2)
        assert np.cov(seen.T) == pytest.approx(2.0 + 2.0 * np.eye(4), abs=0.4)
        assert noisy.curve(DEFAULT, 7) == noisy.curve(DEFAULT, 7)
        assert noisy.curve(DEFAULT, 7).seconds == [1 / 27, 1 / 9, 1 / 3, 1]

    def test_features_are_shares_of_the_ranges(self):
        points = [DEFAULT, {"learning_rate": 1e-3, "rank": 5, "targets": "all-linear"}]
        assert features(PARTS, points) == pytest.approx(np.array([[-1, -1, -1], [0, 1, 1]]))

    def test_curves_that_cross_do(self):
        oracle = crossing("lora")
        slow, fast = ({**oracle.space.default, "learning_rate": rate} for rate in (2.5e-4, 1e-3))
        first, *_, last = (oracle.scores([slow, fast])).T
        assert first[0] < first[1]
        assert last[0] > last[1]


class TestFitted:
    def table(self, bend: float) -> MethodCurves:
        """30 curves of a score that rises by a point with the logarithm of the rate, and by rung."""
        rates = np.geomspace(1e-4, 1e-2, 30)
        curves = [
            Curve(
                hyperparameters={**DEFAULT, "learning_rate": float(rate)},
                scores=[5 * n + 2 * np.log10(rate) + 8 + bend * (-1) ** n for n in range(4)],
                seconds=[1.0, 2.0, 3.0, 4.0],
            )
            for rate in rates
        ]
        return MethodCurves(base="lora", space=PARTS, curves=curves)

    def test_both_regressions_follow_what_was_recorded(self):
        curves = read(search.CURVES).model_copy(update={"methods": {"lora": self.table(0.0)}, "rungs": RUNGS})
        for oracle in fitted(curves):
            point = {**DEFAULT, "learning_rate": 1e-3}
            assert oracle.scores([point])[0] == pytest.approx([7, 12, 17], abs=0.2)

    def test_noise_is_what_no_even_bend_explains(self):
        assert noise(self.table(0.0)) == pytest.approx([0] * 4, abs=1e-6)
        # the third difference of +1 -1 +1 -1 is 8; of 32 examples, and as much again that is the trial's own
        assert noise(self.table(1.0)) == pytest.approx([8 / 20**0.5 * (2 * 32 / 256) ** 0.5] * 4)


def lcbench_folder() -> Path:
    folder = Path(__file__).parents[2].parent / "shared" / "data" / "lcbench_yahpo"
    if not folder.exists():
        pytest.skip("needs the files of LCBench's surrogate beside the project")
    return folder


def test_lcbench_is_split_into_tasks_to_develop_on_and_tasks_for_the_proof():
    pytest.importorskip("onnxruntime", reason="LCBench's surrogate needs onnxruntime")
    folder = lcbench_folder()
    develop, proof = lcbench(folder, proof=False), lcbench(folder, proof=True)
    assert (len(develop), len(proof)) == (21, 13)
    scores = develop[0].scores([develop[0].space.default])
    assert scores.shape == (1, 3)
    assert 0 < scores.min() < scores.max() <= 100


def test_without_the_files_of_lcbench_it_says_how_to_get_them(tmp_path):
    with pytest.raises(InputError, match="yahpo_data"):
        lcbench(tmp_path, proof=False)


class TestOutcome:
    @pytest.fixture
    def case(self, oracle, monkeypatch):
        monkeypatch.setitem(search._ORACLES, "bowl", oracle)
        return search.Case("bowl", 1, 6, "random", 0)

    def test_regret_is_the_winners_and_the_cost_in_full_trainings(self, case, oracle):
        outcome = search.outcome(case)
        assert outcome.spent == pytest.approx(6)
        spent, regrets = zip(*outcome.way, strict=True)
        assert list(regrets) == sorted(regrets, reverse=True)  # without noise
        assert (spent[0], regrets[0]) == (pytest.approx(1), pytest.approx(5, abs=1e-3))
        assert outcome.regret == regrets[-1]

    def test_it_is_reached_when_the_winner_is_as_good_as_the_baselines(self):
        def row(name, trials, seed, spent, regret, way=()):
            return {"search": name, "trials": trials, "seed": seed, "spent": spent, "regret": regret} | {
                "way": list(way)
            }

        rows = [row("random", 16, seed, 16.0, 1.0) for seed in range(4)]
        mine = [row("x", 32, seed, 9.0, 0.5, [(1.0, 3.0), (4.0, 0.9)]) for seed in range(3)]
        mine.append(row("x", 32, 3, 9.0, 2.0, [(1.0, 2.0)]))
        told = search._reached(pd.DataFrame(mine), pd.DataFrame([*rows, *mine]))
        assert told.split() == ["reached", "4.0", "times", "sooner,", "75%"]

    @pytest.mark.slow
    def test_equal_cases_have_equal_outcomes_in_any_number_of_processes(self, case, oracle):
        cases = [case, search.Case("bowl", 2, 6, "TPE + ASHA", 1)]
        once, again = (search.run({"bowl": oracle}, cases, processes) for processes in (1, 2))
        assert [(o.regret, o.spent, o.way) for o in once] == [(o.regret, o.spent, o.way) for o in again]


@pytest.mark.slow
def test_the_command_prints_a_table_and_writes_the_outcomes(monkeypatch, tmp_path, capsys):
    options = ["--seeds", "2", "--trials", "4", "--workers", "1", "--only", "full, ridge"]
    options += ["--searches", "random", "random + ASHA", "--json", str(tmp_path / "search.json")]
    monkeypatch.setattr("sys.argv", ["search", *options])
    search.main()
    out = capsys.readouterr().out
    assert "full, ridge, 1 at a time" in out
    assert "random + ASHA" in out
    outcomes = json.loads((tmp_path / "search.json").read_text())["outcomes"]
    assert len(outcomes) == 4
    assert {outcome["search"] for outcome in outcomes} == {"random", "random + ASHA"}


def test_the_searches_are_settings_of_a_sweep():
    assert SEARCHES["tuneoff"] == Compared()
