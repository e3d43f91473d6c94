import math
from collections import Counter

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import RandomSampler, TPESampler
from scipy.stats.qmc import Sobol

import spaces
from search.records.seeds import derived_seed
from search.samplers.proposals import guided_or_random, sobol_point

SPACE = {
    "plain": FloatDistribution(-1.0, 3.0),
    "rate": FloatDistribution(1e-5, 1e-1, log=True),
    "choice": CategoricalDistribution(("a", "b", "c", "d")),
    "count": IntDistribution(2, 9),
    "rank": IntDistribution(4, 64, log=True),
}


def points(count, seed=3):
    return [sobol_point(SPACE, index, seed) for index in range(count)]


@pytest.mark.parametrize("method", spaces.available())
def test_every_point_is_in_range(method):
    distributions = spaces.get(method).distributions
    for index in range(32):
        point = sobol_point(distributions, index, seed=index)
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
    assert [sobol_point(SPACE, n, 3) for n in (5, 0, 5)] == [points(6)[n] for n in (5, 0, 5)]
    assert sobol_point(SPACE, 5, 4) != points(6)[5]
    assert sobol_point(dict(reversed(SPACE.items())), 5, 3) == points(6)[5]


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
    assert isinstance(guided_or_random("tpe", 0), TPESampler)
    assert isinstance(guided_or_random("random", 0), RandomSampler)


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
