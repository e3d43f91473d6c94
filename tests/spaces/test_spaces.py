"""The suite that every space passes, and the rules of narrowing one."""

import itertools
import math
import re
import warnings
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

import spaces
from spaces import Problem, ProblemsError, Space, common

COMMON = {"learning_rate", *common.SPACE}
LIST_OR_RANGE = "must be a list of choices or a range {low, high}"
every_space = pytest.mark.parametrize("name", spaces.available())


def inside(dimension: Any, value: Any) -> bool:
    if isinstance(dimension, CategoricalDistribution):
        return any(value == choice and type(value) is type(choice) for choice in dimension.choices)
    kind = int if isinstance(dimension, IntDistribution) else float
    return type(value) is kind and dimension.low <= value <= dimension.high


def sampled(space: Space, count: int) -> list[dict[str, Any]]:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    return [study.ask(dict(space.distributions)).params for _ in range(count)]


def problems(name: str, space: dict[str, Any], fix: dict[str, Any]) -> list[Problem]:
    with pytest.raises(ProblemsError) as error:
        spaces.get(name).narrow(space, fix)
    return list(error.value.problems)


def test_spaces_are_found_by_their_files() -> None:
    files = {file.stem for file in Path(spaces.__file__).parent.glob("[a-z]*.py")} - {"common"}
    assert spaces.available() == sorted(files)
    assert {"full", "lora", "prompt_tuning"} < files


@every_space
def test_a_summary_is_one_line_with_the_paper(name: str) -> None:
    summary = spaces.summary(name)
    assert summary
    assert "\n" not in summary
    assert "arXiv" in summary or name == "full"


@every_space
def test_default_is_a_member(name: str) -> None:
    space = spaces.get(name)
    assert space.default.keys() == space.distributions.keys()
    assert all(inside(space.distributions[key], value) for key, value in space.default.items())


@every_space
def test_optuna_tries_the_default_first_as_it_is(name: str) -> None:
    space = spaces.get(name)
    study = optuna.create_study()
    study.enqueue_trial(dict(space.default))
    with warnings.catch_warnings(action="error"):
        assert study.ask(dict(space.distributions)).params == space.default


@every_space
def test_common_hyperparameters_are_searched_and_the_learning_rate_by_magnitude(name: str) -> None:
    distributions = spaces.get(name).distributions
    assert distributions.keys() >= COMMON
    assert distributions["learning_rate"].log
    assert distributions["batch_size"].choices == (8, 16, 32)


@every_space
def test_what_is_got_is_a_copy(name: str) -> None:
    spaces.get(name).distributions.clear()
    assert spaces.get(name).distributions


def test_unknown_name_lists_the_choices() -> None:
    message = f"unknown method 'lorra': must be one of {', '.join(spaces.available())}; did you mean 'lora'?"
    for ask in (spaces.get, spaces.summary, spaces.needs):
        with pytest.raises(ValueError, match=re.escape(message)):
            ask("lorra")


def test_narrowing_by_nothing_changes_nothing() -> None:
    assert spaces.get("lora").narrow({}, {}) == spaces.get("lora")


def test_choices_become_categorical_in_the_dimensions_own_type() -> None:
    space = spaces.get("lora").narrow({"rank": [16, 32], "dropout": [0, 0.1], "alpha_ratio": [1.0]}, {})
    assert space.distributions["rank"] == CategoricalDistribution((16, 32))
    assert space.distributions["dropout"] == CategoricalDistribution((0.0, 0.1))
    assert [type(value) for value in space.distributions["dropout"].choices] == [float, float]
    assert [type(value) for value in space.distributions["alpha_ratio"].choices] == [int]


def test_a_range_keeps_its_kind_and_the_bound_not_given() -> None:
    space = spaces.get("lora").narrow({"rank": {"low": 8, "high": 16}, "learning_rate": {"high": 1e-3}}, {})
    assert space.distributions["rank"] == IntDistribution(8, 16, log=True)
    assert space.distributions["learning_rate"] == FloatDistribution(1e-4, 1e-3, log=True)


def test_a_fixed_hyperparameter_leaves_the_search() -> None:
    space = spaces.get("lora").narrow({}, {"targets": "attention", "alpha_ratio": 1})
    assert space.fixed == {"targets": "attention", "alpha_ratio": 1}
    assert not space.fixed.keys() & space.distributions.keys()
    assert not space.fixed.keys() & space.default.keys()
    assert space.complete(space.default).keys() == spaces.get("lora").distributions.keys()


@pytest.mark.parametrize(
    ("key", "values", "scale"),
    [
        ("rank", [4, 5, 11, 12, 64], math.log),
        ("learning_rate", [1e-4, 2e-4, 1e-3, 5e-3], math.log),
        ("dropout", [0.0, 0.04, 0.07], float),
        ("batch_size", [8, 16, 32], float),
    ],
)
def test_the_default_moves_to_the_nearest_choice(key: str, values: list[Any], scale: Any) -> None:
    """Brute force: of every subset, no other member is nearer to the old default on the range's scale."""
    whole = spaces.get("lora")
    for size in range(1, len(values) + 1):
        for allowed in itertools.combinations(values, size):
            default = whole.narrow({key: list(allowed)}, {}).default[key]
            gaps = {value: abs(scale(value) - scale(whole.default[key])) for value in allowed}
            assert gaps[default] == min(gaps.values())


@pytest.mark.parametrize(
    ("low", "high", "default"), [(0.0, 0.02, 0.02), (0.06, 0.1, 0.06), (0.0, 0.1, 0.05), (0, 0, 0.0)]
)
def test_the_default_stays_within_a_narrower_range(low: float, high: float, default: float) -> None:
    space = spaces.get("lora").narrow({"dropout": {"low": low, "high": high}}, {})
    assert space.default["dropout"] == default


def test_the_default_of_words_is_kept_or_becomes_the_first() -> None:
    lora = spaces.get("lora")
    assert lora.narrow({"targets": ["attention", "all-linear"]}, {}).default["targets"] == "all-linear"
    assert lora.narrow({"targets": ["attention"]}, {}).default["targets"] == "attention"


@every_space
def test_what_a_narrowed_space_yields_lies_in_the_whole_space(name: str) -> None:
    whole = spaces.get(name)
    low = whole.default["learning_rate"]
    narrow = whole.narrow({"learning_rate": {"low": low}, "batch_size": [8]}, {"schedule": "cosine"})
    for values in sampled(narrow, 50):
        complete = narrow.complete(values)
        assert complete.keys() == whole.distributions.keys()
        assert all(inside(whole.distributions[key], value) for key, value in complete.items())
        assert values["learning_rate"] >= low
        assert (values["batch_size"], complete["schedule"]) == (8, "cosine")


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({"rank": [4, 128]}, "must lie within 4 to 64 (log), got 128"),
        ({"rank": [4, 2, 65]}, "must lie within 4 to 64 (log), got 2; must lie within 4 to 64 (log), got 65"),
        ({"rank": [8.0]}, "must be a whole number within 4 to 64 (log), got 8.0"),
        ({"rank": [True]}, "must be a whole number within 4 to 64 (log), got True"),
        ({"rank": []}, "must name at least one of 4 to 64 (log), got an empty list"),
        ({"rank": [8, 8]}, "must name each choice once, got [8, 8]"),
        (
            {"rank": 8},
            f"{LIST_OR_RANGE}, got 8; to hold one value, put it under `fix`",
        ),
        (
            {"rank": None},
            f"{LIST_OR_RANGE}, got null; to hold one value, put it under `fix`",
        ),
        ({"rank": {"low": 16, "high": 8}}, "low must not exceed high, got low 16 and high 8"),
        ({"rank": {"low": 16, "hihg": 8}}, "must be a range {low, high}, got {'low': 16, 'hihg': 8}"),
        ({"rank": {}}, "must be a range {low, high}, got {}"),
        ({"rank": {"low": 1}}, "must lie within 4 to 64 (log), got 1"),
        ({"dropout": {"high": math.inf}}, "must lie within 0 to 0.1, got inf"),
        ({"dropout": [math.nan]}, "must lie within 0 to 0.1, got nan"),
        ({"dropout": ["0.1"]}, "must be a number within 0 to 0.1, got '0.1'"),
        (
            {"targets": ["atention"]},
            "must be one of attention, all-linear, got 'atention'; did you mean 'attention'?",
        ),
        ({"alpha_ratio": [True]}, "must be one of 1, 2, 4, got True"),
        (
            {"batch_size": {"low": 8}},
            "must be a list out of 8, 16, 32: it has choices, not bounds",
        ),
        (
            {"rnk": [8]},
            "unknown hyperparameter 'rnk' of lora: must be one of learning_rate, batch_size, warmup_ratio, "
            "weight_decay, schedule, rank, alpha_ratio, dropout, targets; did you mean 'rank'?",
        ),
    ],
)
def test_what_does_not_narrow_a_space(space: dict[str, Any], message: str) -> None:
    (key,) = space
    assert problems("lora", space, {}) == [Problem(f"space.{key}", message)]


@pytest.mark.parametrize(
    ("fix", "message"),
    [
        ({"rank": 128}, "must lie within 4 to 64 (log), got 128"),
        ({"rank": [8]}, "must be a whole number within 4 to 64 (log), got [8]"),
        ({"targets": None}, "must be one of attention, all-linear, got null"),
        ({"dropout": 0.5}, "must lie within 0 to 0.1, got 0.5"),
    ],
)
def test_what_cannot_be_fixed(fix: dict[str, Any], message: str) -> None:
    (key,) = fix
    assert problems("lora", {}, fix) == [Problem(f"fix.{key}", message)]


def test_all_problems_are_told_at_once() -> None:
    found = problems("lora", {"rank": [1], "dropout": [9]}, {"rank": 8, "init": "text", "targets": "x"})
    assert [problem.path for problem in found] == [
        "space.rank", "space.dropout", "fix.rank", "fix.init", "fix.targets",
    ]  # fmt: skip
    assert found[2].message == "is also under `space`: a hyperparameter is either searched or fixed"


def test_ranges_are_told_in_words() -> None:
    words = {key: spaces.describe(part) for key, part in spaces.get("lora").distributions.items()}
    assert words["learning_rate"] == "0.0001 to 0.005 (log)"
    assert words["batch_size"] == "8, 16, 32"
    assert words["dropout"] == "0 to 0.1"


def test_a_long_value_is_cut() -> None:
    assert len(spaces.shown("x" * 1000)) == 80
    assert spaces.shown(None) == "null"


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ("ROUGEl", "; did you mean 'rougeL'?"),
        ("lsum", "; did you mean 'rougeLsum'?"),
        ("su", ""),
        (3, ""),
    ],
)
def test_a_hint_is_given_only_where_a_choice_resembles(given: object, hint: str) -> None:
    assert spaces.did_you_mean(given, ["rougeL", "rougeLsum"]) == hint


def test_the_costliest_corner_takes_the_largest_numbers_and_the_last_words():
    choices = {
        "rank": {"low": 4, "high": 16},
        "batch_size": [16, 8],
        "targets": ["all-linear", "attention"],
        "learning_rate": [0.002, 0.0001],
    }
    space = spaces.get("lora").narrow(choices, {"schedule": "cosine"})
    corner = spaces.costliest(space)
    assert corner.keys() == spaces.get("lora").default.keys()
    chosen = {"rank": 16, "batch_size": 16, "targets": "all-linear", "schedule": "cosine"}
    assert chosen.items() <= corner.items()
    for rate in ("learning_rate", "weight_decay", "dropout"):
        assert corner[rate] == space.default[rate]
