"""The Gaussian process: its algebra against the plain formulas, and what its proposals make of trials."""

import math

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import RandomSampler, TPESampler
from optuna.trial import TrialState, create_trial

from search.samplers import BROKE, Next, get
from search.samplers._process import JITTER, Process, Rows, _objective, _priors
from search.samplers._units import columns, groups, shares, value_at
from search.samplers.gp import MODELLED_TRIALS, STARTUP_TRIALS, Model
from tests.search.driven import NARROW, Driven
from tests.search.replay import sweep

SPACE = {
    "rate": FloatDistribution(1e-5, 1e-1, log=True),
    "plain": FloatDistribution(-1.0, 3.0),
    "words": CategoricalDistribution(("a", "b", "c")),
    "choice": CategoricalDistribution((32, 8, 16)),
    "count": IntDistribution(2, 9),
    "rank": IntDistribution(4, 64, log=True),
    "one": IntDistribution(3, 3),
}
FULL = 27


def points(count, seed=0):
    rng = np.random.default_rng(seed)
    return [{name: value_at(part, rng.random()) for name, part in SPACE.items()} for _ in range(count)]


class TestUnits:
    def test_a_point_comes_back_from_its_shares(self):
        drawn = points(50)
        for point, row in zip(drawn, shares(SPACE, drawn), strict=True):
            back = {n: value_at(part, share) for (n, part), share in zip(SPACE.items(), row, strict=True)}
            for name, value in point.items():
                assert back[name] == (pytest.approx(value) if isinstance(value, float) else value)

    def test_numbers_are_on_their_own_scale_and_words_one_apart(self):
        base = {"rate": 1e-3, "plain": 1.0, "words": "a", "choice": 8, "count": 2, "rank": 16, "one": 3}
        others = [{"words": "c"}, {"choice": 16}, {"count": 9}, {"rate": 1e-1}, {"rank": 64}]
        seen = columns(SPACE, shares(SPACE, [base, *({**base, **change} for change in others)]))
        apart = np.sqrt(((seen[1:] - seen[0]) ** 2).sum(1))
        assert apart == pytest.approx([1, 0.5, 1, 0.5, 0.5])
        assert list(groups(SPACE)) == [0, 1, 2, 2, 2, 3, 4, 5, 6]

    def test_shares_within_a_step_are_one_place(self):
        rows = np.full((2, len(SPACE)), 0.5)
        rows[1, 2:] += 0.01
        first, second = columns(SPACE, rows)
        assert list(first) == list(second)


@pytest.fixture(autouse=True)
def quiet():
    optuna.logging.set_verbosity(optuna.logging.WARNING)


@pytest.fixture
def rows():
    rng = np.random.default_rng(3)
    seen = Rows(columns(SPACE, shares(SPACE, points(12))), -rng.integers(0, 4, 12) / 3)
    scores = seen.points[:, 0] + seen.budgets + 0.1 * rng.standard_normal(12)
    return seen, (scores - scores.mean()) / scores.std()


def matern(distance):
    scaled = math.sqrt(5) * distance
    return (1 + scaled + scaled**2 / 3) * math.exp(-scaled)


def kernel(one, other, logs):
    """The covariance of two (point, budget), as the module's docstring has it."""
    lengths, (near, signal, trend, _) = np.exp(logs[:-4])[groups(SPACE)], np.exp(logs[-4:])
    apart = math.sqrt((((one[0] - other[0]) / lengths) ** 2).sum())
    budgets = abs(one[1] - other[1])
    return trend * matern(budgets) + signal * matern(apart) * matern(budgets / near)


class TestProcess:
    def test_the_gradient_is_that_of_the_log_posterior(self, rows):
        value = _objective(rows[0], rows[1], groups(SPACE), _priors(7))
        at = _priors(7)[0] + 0.3 * np.random.default_rng(0).standard_normal(11)
        steps = 1e-5 * np.eye(11)
        expected = [(value(at + step)[0] - value(at - step)[0]) / 2e-5 for step in steps]
        assert value(at)[1] == pytest.approx(expected, abs=1e-5)

    def test_it_expects_what_the_plain_formulas_say(self, rows):
        process = Process(*rows, groups(SPACE))
        seen = list(zip(rows[0].points, rows[0].budgets, strict=True))
        noise = math.exp(process.logs[-1]) + JITTER
        covariance = np.array([[kernel(a, b, process.logs) for b in seen] for a in seen])
        inverse = np.linalg.inv(covariance + noise * np.eye(12))
        new = columns(SPACE, shares(SPACE, points(3, seed=9)))
        for point, mean, spread in zip(new, *process.at_full_budget(new), strict=True):
            cross = np.array([kernel((point, 0.0), other, process.logs) for other in seen])
            assert mean == pytest.approx(cross @ inverse @ rows[1])
            here = kernel((point, 0.0), (point, 0.0), process.logs)
            assert spread**2 == pytest.approx(here - cross @ inverse @ cross, rel=1e-6)

    def test_what_runs_leaves_the_mean_and_takes_from_the_doubt(self, rows):
        process = Process(*rows, groups(SPACE))
        new = columns(SPACE, shares(SPACE, points(4, seed=9)))
        mean, spread = process.at_full_budget(new)
        process.believe(new[:1])
        after, less = process.at_full_budget(new)
        assert after == pytest.approx(mean, abs=1e-8)
        assert less[0] < 0.8 * spread[0]
        assert all(less <= spread + 1e-9)

    def test_equal_scores_at_equal_points_are_no_trouble(self):
        many = Rows(np.zeros((60, 2)), np.zeros(60))
        scores = np.where(np.arange(60) % 2, 1.0, -1.0)
        mean, spread = Process(many, scores, np.array([0, 1])).at_full_budget(np.zeros((1, 2)))
        assert abs(mean[0]) < 0.1
        assert np.isfinite(spread[0])


ONE = {"x": FloatDistribution(0.0, 1.0)}


def trial(x, scores, state=TrialState.PRUNED, **attributes):
    """A trial of a study with one hyperparameter: scores by budget."""
    return create_trial(
        state=state,
        values=[scores[max(scores)]] if state is TrialState.COMPLETE else None,
        params={"x": x},
        distributions=ONE,
        intermediate_values=scores,
        user_attrs=attributes,
    )


def proposed(trials, seed=0):
    study = optuna.create_study(direction="maximize", sampler=Model(Next(seed, len(trials), FULL)))
    study.add_trials(trials)
    return study.ask(ONE).params["x"]


def hill(x, budget):
    return 10 - 40 * (x - 0.7) ** 2 - 6 * math.log(FULL / budget)


class TestProposals:
    def test_stopped_trials_alone_show_the_way(self):
        seen = [trial(x, {3: hill(x, 3)}) for x in (0.1, 0.3, 0.5, 0.9)]
        assert 0.55 < proposed(seen) < 0.88

    def test_a_later_rung_counts_more_than_an_early_one_for_the_end(self):
        crossing = [trial(x, {3: 5 - 3 * x, 27: 5 + 5 * x}) for x in (0.1, 0.4, 0.7)]
        early = [trial(x, {3: 5 - 3 * x}) for x in (0.1, 0.4, 0.7)]
        assert proposed(early) < 0.4
        assert proposed(crossing) > 0.7

    def test_what_runs_is_not_proposed_again(self):
        seen = [trial(x, {FULL: hill(x, FULL)}, TrialState.COMPLETE) for x in (0.1, 0.3, 0.5, 0.9)]
        first = proposed(seen)
        running = [trial(first, {}, TrialState.RUNNING)] * 3
        assert abs(proposed([*seen, *running]) - first) > 0.02

    def test_where_a_trial_broke_is_the_worst(self):
        rising = [trial(x, {FULL: 10 * x}, TrialState.COMPLETE) for x in (0.2, 0.4, 0.6, 0.8)]
        assert proposed(rising) > 0.85
        assert proposed([*rising, trial(1.0, {}, **{BROKE: True}), trial(0.9, {}, **{BROKE: True})]) < 0.85

    def test_without_a_score_it_draws_at_random(self):
        running = [trial(x, {}, TrialState.RUNNING) for x in (0.1, 0.3)]
        study = optuna.create_study(sampler=RandomSampler(5))
        assert proposed(running, seed=5) == study.ask(ONE).params["x"]


@pytest.mark.parametrize("end", ["diverged", "out_of_memory", "stopped", "failed"])
def test_a_study_says_what_broke_also_from_the_records_alone(tmp_path, end):
    driven = Driven(tmp_path / "run", sweep(tmp_path, methods=NARROW))
    driven.end(driven.begin().id, end)
    for _ in range(2):
        (seen,) = driven.studies["full"].study.trials
        assert seen.user_attrs.get(BROKE, False) == (end in ("diverged", "out_of_memory"))
        driven.restart()


def test_it_begins_at_random_and_leaves_the_many_to_tpe():
    sampler = get("gp")
    assert type(sampler.optuna_sampler(Next(0, STARTUP_TRIALS - 1))) is RandomSampler
    assert isinstance(sampler.optuna_sampler(Next(0, STARTUP_TRIALS)), Model)
    assert isinstance(sampler.optuna_sampler(Next(0, MODELLED_TRIALS - 1)), Model)
    assert isinstance(sampler.optuna_sampler(Next(0, MODELLED_TRIALS)), TPESampler)


def test_of_several_objectives_tpe_makes_more():
    assert isinstance(get("gp").optuna_sampler(Next(0, STARTUP_TRIALS, objectives=2)), TPESampler)
