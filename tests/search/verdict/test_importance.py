import math
import subprocess
import sys

import numpy as np
import pytest

from search.config.sweep import Sweep
from search.records.record import Record
from search.verdict.importance import ENOUGH_TRIALS, importance
from tests.search.conftest import SWEEP
from trainables.rung_report import Rung
from trainables.status import Status

SWEEP_OF_LORA = Sweep.from_yaml(SWEEP)
RATES = SWEEP_OF_LORA.spaces()["lora"].distributions["learning_rate"]


def trial(number, hyperparameters, score, *, status="completed", rungs=3) -> Record:
    return Record(
        id=f"lora/{number:04}",
        method="lora",
        number=number,
        phase="search",
        split="validation",
        origin="sampled",
        hyperparameters=hyperparameters,
        seed=number,
        status=status,
        rungs=[Rung(rung=rung, examples=100, score=score) for rung in range(rungs)],
        started="2026-11-23T08:00:00+00:00",
    )


def planted(count, seed=0) -> list[Record]:
    """Random trials of which only the learning rate decides the score: 30 less its squared log distance."""
    rng = np.random.default_rng(seed)
    records = []
    for number in range(count):
        rate = math.exp(rng.uniform(math.log(RATES.low), math.log(RATES.high)))
        sampled = dict(SWEEP_OF_LORA.spaces()["lora"].default)
        sampled |= {
            "learning_rate": rate,
            "rank": int(rng.integers(4, 65)),
            "batch_size": int(rng.choice([8, 16, 32])),
            "dropout": float(rng.uniform(0, 0.1)),
            "warmup_ratio": float(rng.uniform(0, 0.1)),
            "weight_decay": float(rng.uniform(0, 0.1)),
        }
        score = 30 - 3 * math.log10(rate / RATES.high) ** 2 + rng.normal(0, 0.3)
        records.append(trial(number, sampled, score))
    return records


def stopped_early(records) -> list[Record]:
    """The lower half stopped at the first rung, with scores above those that later rungs gave the others."""
    middle = np.median([record.score for record in records])
    return [
        record
        if record.score > middle
        else trial(record.number, record.hyperparameters, record.score + 50, status="stopped", rungs=1)
        for record in records
    ]


def test_the_hyperparameter_that_matters_comes_first():
    found = importance(SWEEP_OF_LORA, "lora", planted(60))
    assert next(iter(found.shares)) == "learning_rate"
    assert found.shares["learning_rate"] > 0.5
    assert sum(found.shares.values()) == pytest.approx(1)
    assert list(found.shares.values()) == sorted(found.shares.values(), reverse=True)
    assert set(found.shares) == set(SWEEP_OF_LORA.spaces()["lora"].distributions)


def test_a_stopped_trial_ranks_below_every_one_that_went_on():
    records = planted(60)
    found = importance(SWEEP_OF_LORA, "lora", stopped_early(records))
    assert found.shares == pytest.approx(importance(SWEEP_OF_LORA, "lora", records).shares)


def test_the_order_of_records_does_not_matter():
    records = planted(30)
    assert importance(SWEEP_OF_LORA, "lora", records[::-1]) == importance(SWEEP_OF_LORA, "lora", records)


def test_few_trials_are_warned_of():
    assert importance(SWEEP_OF_LORA, "lora", planted(ENOUGH_TRIALS - 1)).too_few
    assert not importance(SWEEP_OF_LORA, "lora", planted(ENOUGH_TRIALS)).too_few


def test_three_trials_say_nothing():
    found = importance(SWEEP_OF_LORA, "lora", planted(3))
    assert (found.shares, found.trials, found.too_few) == ({}, 3, True)


def test_failed_and_running_trials_do_not_count():
    records = planted(10)
    failed = [record.model_copy(update={"status": Status.FAILED}) for record in records[:5]]
    running = records[5].model_copy(update={"status": Status.RUNNING})
    assert importance(SWEEP_OF_LORA, "lora", [*failed, running, *records[6:]]).trials == 4


def test_a_trial_that_diverged_is_the_worst_whatever_it_had_scored():
    records = planted(40)
    lost = [trial(r.number, r.hyperparameters, None, status="diverged", rungs=1) for r in records[:5]]
    found = importance(SWEEP_OF_LORA, "lora", [*lost, *records[5:]])
    assert found.trials == 40
    assert next(iter(found.shares)) == "learning_rate"


def test_a_method_whose_space_is_fixed_has_no_importance():
    names = SWEEP_OF_LORA.spaces()["lora"].distributions
    defaults = SWEEP_OF_LORA.spaces()["lora"].default
    fixed = {name: defaults[name] for name in names if name != "learning_rate"}
    sweep = SWEEP_OF_LORA.model_dump() | {"methods": {"lora": {"base": "lora", "fix": fixed}}}
    found = importance(Sweep.model_validate(sweep), "lora", planted(20))
    assert found.shares == {"learning_rate": pytest.approx(1)}


def test_importing_it_does_not_import_the_studies():
    code = (
        "import search.verdict.importance, sys; "
        "print(sorted({'sqlalchemy', 'optuna.importance', 'ray', 'torch'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_a_hyperparameter_that_some_record_lacks_is_left_out():
    first, *others = planted(20)
    lacking = {name: value for name, value in first.hyperparameters.items() if name != "rank"}
    records = [first.model_copy(update={"hyperparameters": lacking}), *others]
    found = importance(SWEEP_OF_LORA, "lora", records)
    assert "rank" not in found.shares
    assert "learning_rate" in found.shares
