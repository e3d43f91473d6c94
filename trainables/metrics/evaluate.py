"""A metric of the `evaluate` library: one of the hub by name, or a module of the user's own by path.

Each document is scored by itself against each of its references, and the mean over documents is the score.
Of a metric that is no mean of documents, the values are those of its sentence-level form.
"""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple

from spaces import did_you_mean
from trainables.errors import InputError
from trainables.metrics._score import Columns, References, Rules, Score

SCORES: dict[str, Score] = {}  # those of the modules, by names that only a sweep knows
REFERENCES: tuple[References, ...] = ("mean", "max")
LOWER_IS_BETTER = ("brier_score", "cer", "mae", "mape", "mase", "mse", "perplexity", "smape", "ter", "wer")
"""Metrics of the hub that a search, which looks for the highest score, would turn upside down."""
_COMBINE: dict[str, Callable[[list[float]], float]] = {"mean": mean, "max": max}


class Named(NamedTuple):
    """`name:key` taken apart."""

    name: str
    """Of the hub, or the path of a Python file."""
    key: str | None
    """Which of several values counts."""

    @property
    def is_local(self) -> bool:
        return self.name.endswith(".py")

    @property
    def label(self) -> str:
        return " ".join(filter(None, [Path(self.name).stem, self.key]))


def named(module: str) -> Named:
    """A colon within a path stays: a key has no slash."""
    name, colon, key = module.rpartition(":")
    return Named(name, key) if colon and not set(key) & set("/\\") else Named(module, None)


def measure(predictions: Sequence[str], references: Sequence[Sequence[str]], rules: Rules) -> Columns:
    """One value a document."""
    assert rules.module is not None
    combine = _COMBINE[rules.references]
    scores = [
        combine([rules.scale * _value(rules.module, text, reference) for reference in row])
        for text, row in zip(predictions, references, strict=True)
    ]
    return {rules.module: scores}


def signature(rules: Rules, references: int | None) -> str:
    from importlib.metadata import version

    return f"evaluate {version('evaluate')}, {rules.module}, times {rules.scale:g}, the mean over documents"


def check(rules: Rules, *, trusted: bool) -> None:
    """Score a word against itself, where the rules name a module.

    A module is code: one given by its path is the user's own; one of the hub runs where the sweep says that
    it is `trusted`.

    Raises:
        InputError: the module is not trusted, cannot be loaded, or does not score texts.
    """
    if rules.module is None:
        return
    if not (trusted or named(rules.module).is_local):
        from trainables.metrics import scores

        raise InputError(
            f"task.metric: {rules.module} is code from the Hugging Face hub. Set task.trust_remote_code: "
            "true to run it, or name a Python file of your own with an evaluate.Metric"
            f"{did_you_mean(rules.module, scores()) or '.'}"
        )
    _value(rules.module, "word", "word")


def _value(module: str, prediction: str, reference: str) -> float:
    metric = _load(named(module).name)
    given: Any = [reference] if _takes_lists(metric) else reference
    try:
        values = metric.compute(predictions=[prediction], references=[given])
    except Exception as error:
        raise InputError(f"task.metric: {module} cannot score a text: {_told(error)}") from error
    return _chosen(module, values)


@cache
def _load(name: str) -> Any:
    import evaluate

    try:
        return evaluate.load(name, keep_in_memory=True)
    except Exception as error:
        raise InputError(
            f"task.metric: {name} cannot be loaded: {_told(error)}. A metric of the hub needs the hub, or "
            "its cache; a module of your own is the path of a Python file with an evaluate.Metric."
        ) from error


def _takes_lists(metric: Any) -> bool:
    """Whether the references of one document must come as a list."""
    from datasets import Value

    options = metric.features if isinstance(metric.features, list) else [metric.features]
    return not any(isinstance(option["references"], Value) for option in options)


def _chosen(module: str, values: Any) -> float:
    """The value that the module is named for, or the only one."""
    name, key = named(module)
    numbers = {found: number for found, value in values.items() if (number := _number(value)) is not None}
    wanted = key or (Path(name).stem if Path(name).stem in numbers else None)
    if wanted is None and len(numbers) == 1:
        (wanted,) = numbers
    if wanted not in numbers:
        known = ", ".join(f"{name}:{found}" for found in numbers) or "no numbers"
        raise InputError(f"task.metric: {module} does not say which value counts; there are {known}.")
    return numbers[wanted]


def _number(value: Any) -> float | None:
    """A number, alone or as the only one of a list."""
    if isinstance(value, list | tuple) and len(value) == 1:
        (value,) = value
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
