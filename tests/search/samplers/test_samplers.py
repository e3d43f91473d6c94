import ast
import math
from collections import Counter

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import RandomSampler, TPESampler
from scipy.stats.qmc import Sobol

import spaces
from search import samplers
from search.records.seeds import derived_seed
from search.samplers.qmc import sobol_point
from tests.search.driven import LISTS, NARROW, Driven
from tests.search.replay import sweep
from tests.test_architecture import ROOT, files

SPACE = {
    "plain": FloatDistribution(-1.0, 3.0),
    "rate": FloatDistribution(1e-5, 1e-1, log=True),
    "choice": CategoricalDistribution(("a", "b", "c", "d")),
    "count": IntDistribution(2, 9),
    "rank": IntDistribution(4, 64, log=True),
}


EVERY_SAMPLER = pytest.mark.parametrize("sampler", samplers.available())
PINNED = {
    "tpe": (
        {"learning_rate": 0.0013795248822360325, "batch_size": 32, "warmup_ratio": 0.045312111268459083}
        | {"weight_decay": 0.019218404383472762, "schedule": "cosine", "rank": 4, "alpha_ratio": 4}
        | {"dropout": 0.04399661267591814, "targets": "all-linear"}
    ),
    "random": (
        {"learning_rate": 0.0012016529036974258, "batch_size": 32, "warmup_ratio": 0.06618322077111273}
        | {"weight_decay": 0.030776907100626662, "schedule": "cosine", "rank": 23, "alpha_ratio": 4}
        | {"dropout": 0.0017124328343114837, "targets": "attention"}
    ),
    "qmc": (
        {"learning_rate": 0.0003856441543074102, "batch_size": 16, "warmup_ratio": 0.02160854581743479}
        | {"weight_decay": 0.04409219268709422, "schedule": "linear", "rank": 10, "alpha_ratio": 2}
        | {"dropout": 0.062085047177970414, "targets": "all-linear"}
    ),
    "grid": (
        {"learning_rate": 0.0003, "batch_size": 16, "warmup_ratio": 0.0, "weight_decay": 0.0}
        | {"schedule": "linear", "rank": 8, "alpha_ratio": 2, "dropout": 0.05, "targets": "all-linear"}
    ),
}
"""The eighth trial that each proposes with seed 7. It must not change: sweeps are resumed."""


def searching(root, sampler, seed=7, trials=8, **choice):
    """A search of LoRA, of which the samplers that need lists have some."""
    method = {**choice, "space": {**choice.get("space", {}), **LISTS}}
    needs_lists = samplers.get(sampler).objection(samplers.Searched(spaces.get("lora"))) is not None
    settings = sweep(
        root,
        seed=seed,
        methods={"lora": method if needs_lists else choice},
        search={"sampler": sampler, "trials_per_method": trials, "study_storage": "sqlite://"},
    )
    return Driven(root / f"run-{seed}-{trials}", settings)


def proposals(driven, restarts=False):
    while record := driven.begin():
        driven.end(record.id, "completed" if record.number % 3 else "stopped")
        if restarts:
            driven.restart()
    return [record.hyperparameters for record in driven.store.search("lora")]


@pytest.mark.parametrize("file", [file for file in files("search", "benchmarks") if "/samplers/" not in file])
def test_no_other_file_asks_which_sampler_it_is(file):
    compared = [
        node for node in ast.walk(ast.parse((ROOT / file).read_text())) if isinstance(node, ast.Compare)
    ]
    words = [getattr(part, "value", None) for node in compared for part in ast.walk(node)]
    assert not [word for word in words if word in samplers.available()]


@EVERY_SAMPLER
def test_a_sampler_says_what_it_is(sampler):
    found = samplers.get(sampler)
    assert found.summary
    assert found.independent_trials >= 0


@pytest.mark.parametrize("sampler", PINNED)
def test_equal_seeds_propose_what_they_always_did(tmp_path, sampler):
    driven = searching(tmp_path, sampler)
    while record := driven.begin():
        driven.end(record.id, "completed")
    proposed = driven.store.search("lora")[7].hyperparameters
    assert proposed.keys() == PINNED[sampler].keys()
    for name, value in PINNED[sampler].items():
        assert proposed[name] == (pytest.approx(value, rel=1e-12) if isinstance(value, float) else value)


@EVERY_SAMPLER
def test_proposals_lie_in_the_space_and_begin_with_the_default(tmp_path, sampler):
    driven = searching(tmp_path, sampler)
    space = driven.plan.sweep.spaces()["lora"]
    first, *others = proposals(driven)
    assert first == space.complete(space.default)
    assert len({tuple(point.items()) for point in (first, *others)}) == 8
    for point in others:
        assert point.keys() == first.keys()
        for name, part in space.distributions.items():
            assert part._contains(part.to_internal_repr(point[name]))


@EVERY_SAMPLER
def test_a_proposal_is_a_function_of_the_seed_and_of_the_trials_before(tmp_path, sampler):
    once = proposals(searching(tmp_path / "a", sampler))
    assert proposals(searching(tmp_path / "b", sampler)) == once
    assert proposals(searching(tmp_path / "c", sampler, trials=5)) == once[:5]
    assert proposals(searching(tmp_path / "d", sampler, seed=8)) != once


@EVERY_SAMPLER
def test_a_search_that_is_rebuilt_after_every_trial_proposes_what_the_unbroken_one_does(tmp_path, sampler):
    unbroken = proposals(searching(tmp_path / "a", sampler, **NARROW["lora"]))
    assert proposals(searching(tmp_path / "b", sampler, **NARROW["lora"]), restarts=True) == unbroken


@EVERY_SAMPLER
def test_no_more_is_proposed_than_there_is(tmp_path, sampler):
    driven = searching(tmp_path, sampler, trials=12, **NARROW["lora"])
    choice = driven.plan.sweep.methods["lora"]
    assert len(proposals(driven)) == min(12, samplers.get(sampler).points(choice.searched()) or 12)


def points(count, seed=3):
    return [sobol_point(SPACE, seed, index) for index in range(count)]


@pytest.mark.parametrize("method", spaces.available())
def test_every_point_is_in_range(method):
    distributions = spaces.get(method).distributions
    for index in range(32):
        point = sobol_point(distributions, index, index)
        assert point.keys() == distributions.keys()
        for name, value in point.items():
            assert distributions[name]._contains(distributions[name].to_internal_repr(value))


def test_points_are_scipys_own_sequence():
    expected = Sobol(len(SPACE), scramble=True, rng=3).random(16)
    columns = sorted(SPACE)  # a column a name, so that the order in a file does not matter
    for point, row in zip(points(16), expected, strict=True):
        shares = dict(zip(columns, row, strict=True))
        assert point["plain"] == pytest.approx(-1 + 4 * shares["plain"])
        assert math.log10(point["rate"]) == pytest.approx(-5 + 4 * shares["rate"])
        assert point["choice"] == "abcd"[int(4 * shares["choice"])]


def test_a_point_depends_on_its_index_and_seed_alone():
    assert [sobol_point(SPACE, 3, n) for n in (5, 0, 5)] == [points(6)[n] for n in (5, 0, 5)]
    assert sobol_point(SPACE, 4, 5) != points(6)[5]
    assert sobol_point(dict(reversed(SPACE.items())), 3, 5) == points(6)[5]


def test_no_point_comes_twice():
    assert len({tuple(point.items()) for point in points(64)}) == 64


def test_every_choice_comes_equally_often():
    assert set(Counter(point["choice"] for point in points(32)).values()) == {8}


def test_a_log_range_is_filled_evenly_in_its_logarithm():
    decades = Counter(math.floor(math.log10(point["rate"])) for point in points(64))
    assert decades == {-5: 16, -4: 16, -3: 16, -2: 16}


def test_every_whole_number_comes_equally_often_its_ends_included():
    assert Counter(point["count"] for point in points(64)) == dict.fromkeys(range(2, 10), 8)


def test_a_log_range_of_whole_numbers_halves_where_its_logarithm_does():
    low, high = math.log(3.5), math.log(64.5)
    middle = math.exp((low + high) / 2)  # about 15
    assert sum(point["rank"] < middle for point in points(64)) == pytest.approx(32, abs=2)


def test_the_samplers_are_optunas_own():
    assert isinstance(samplers.get("tpe").optuna_sampler(samplers.Next(0)), TPESampler)
    assert isinstance(samplers.get("random").optuna_sampler(samplers.Next(0)), RandomSampler)


def test_derived_seeds_are_the_same_on_every_machine():
    # the first eight digits of `printf 0/lora/search/3 | sha256sum`
    assert derived_seed(0, "lora", "qualifying", 3) == 0x807D0BD4


def test_derived_seeds_differ():
    parts = [
        (seed, method, phase, number)
        for seed in range(3)
        for method in ("full", "lora")
        for phase in ("search", "final", "propose")
        for number in range(50)
    ]
    seeds = {derived_seed(*part) for part in parts}
    assert len(seeds) == len(parts)
    assert all(0 <= seed < 2**32 for seed in seeds)
