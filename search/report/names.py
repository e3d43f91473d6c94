"""What things are called in print."""

from collections.abc import Mapping

from search.report.markdown import code
from search.results import BASELINE, Results
from trainables.task import DataFiles

_SCORES = {"rouge1": "ROUGE-1", "rouge2": "ROUGE-2", "rougeL": "ROUGE-L", "rougeLsum": "ROUGE-Lsum"}


def score_name(score: str) -> str:
    return _SCORES.get(score, score)


def metric_name(results: Results) -> str:
    """The task's metric, which methods are compared by."""
    return score_name(results.sweep.task.metric)


_AXES = {
    "trainable_parameters": "Trainable parameters",
    "train_seconds": "Training time (s)",
    "evaluation_seconds": "Evaluation time (s)",
    "startup_seconds": "Start-up time (s)",
    "peak_memory_bytes": "Peak memory (MiB)",
    "adapter_bytes": "Adapter on disk (MiB)",
    "train_flops": "Training FLOPs",
    "energy_joules": "Energy (J)",
}


def axis_name(cost: str) -> str:
    """A cost's name with its unit: `peak_memory_bytes` is drawn in `Peak memory (MiB)`."""
    return _AXES.get(cost, _by_unit(cost))


def axis_unit(cost: str) -> float:
    """What a cost is divided by to be drawn."""
    return 2.0**20 if cost.endswith("_bytes") else 1.0


def _by_unit(cost: str) -> str:
    words, _, unit = cost.rpartition("_")
    shown = {"seconds": "s", "bytes": "MiB", "joules": "J", "flops": "FLOPs"}.get(unit)
    return (
        f"{words.replace('_', ' ').capitalize()} ({shown})" if shown else cost.replace("_", " ").capitalize()
    )


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
