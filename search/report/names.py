"""What things are called in print."""

from collections.abc import Mapping

from search.records import BASELINE, Results
from search.report.markdown import code
from search.verdict import AXES, score_name
from trainables.task import DataFiles


def metric_name(results: Results) -> str:
    """The task's metric, which methods are compared by."""
    return score_name(results.sweep.task.metric)


_UNITS = {"_seconds": "s", "_seconds_per_example": "s an example", "_joules": "J", "_bytes": "MiB"}


def axis_name(cost: str) -> str:
    """A cost's name with its unit: `peak_memory_bytes` is drawn in `Peak memory (MiB)`."""
    unit = next((f" ({unit})" for ending, unit in _UNITS.items() if cost.endswith(ending)), "")
    return f"{axis_words(cost)}{unit}"


def axis_words(cost: str) -> str:
    """A cost's name without its unit, with a capital."""
    words = AXES[cost]
    return words[0].upper() + words[1:]


def axis_unit(cost: str) -> float:
    """What a cost is divided by to be drawn."""
    return 2.0**20 if cost.endswith("_bytes") else 1.0


def method_name(method: object) -> str:
    return "baseline (untrained)" if method == BASELINE else code(method)


def data_name(data: str | DataFiles) -> str:
    """The data set's name, or the local files of its splits."""
    return data if isinstance(data, str) else ", ".join(f"{split}: {file}" for split, file in data if file)


def compact(hyperparameters: Mapping[str, object]) -> str:
    """Hyperparameters on one line, floats with three digits."""
    return ", ".join(
        f"{name}={value:.3g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in hyperparameters.items()
    )
