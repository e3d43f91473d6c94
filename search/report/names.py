"""What things are called in print."""

from collections.abc import Callable, Mapping

from search.records import BASELINE, Results
from search.report.markdown import code
from search.verdict import score_name
from trainables.task import DataFiles


def metric_name(results: Results) -> str:
    """Return the printed name of the task's metric, by which methods are compared."""
    return score_name(results.sweep.task.metric)


def method_name(method: object) -> str:
    return "baseline (untrained)" if method == BASELINE else code(method)


def subject(results: Results, marked: Callable[[str], str] = str) -> str:
    """Say what was compared by which score; names are `marked`."""
    task = results.sweep.task
    what = f"{marked(task.model)} on {marked(data_name(task.data))}"
    if results.sweep.imported:
        what = "Results of other tools"
    return f"{what}, compared by {metric_name(results)}"


def data_name(data: str | DataFiles) -> str:
    """Return the data set's name, or the local files of its splits."""
    return data if isinstance(data, str) else ", ".join(f"{split}: {file}" for split, file in data if file)


def compact(hyperparameters: Mapping[str, object]) -> str:
    """Write hyperparameters on one line, floats with three digits."""
    return ", ".join(
        f"{name}={value:.3g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in hyperparameters.items()
    )
