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
