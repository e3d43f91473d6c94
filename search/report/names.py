"""What things are called in print."""

from collections.abc import Callable, Mapping
from pathlib import Path

from search.records import BASELINE, Results
from search.report.markdown import code
from search.verdict import score_name
from trainables.data_source import DataFiles, HubData, is_path


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


def data_name(data: str | DataFiles | HubData) -> str:
    """Return the data set's name, or the files of its splits."""
    if isinstance(data, HubData):
        return " ".join(filter(None, [data.hub, data.config and f"({data.config})", data.revision]))
    return data if isinstance(data, str) else ", ".join(f"{split}: {file}" for split, file in data if file)


def is_on_hub(name: str) -> bool:
    """Return whether a model or data set is one of the hub, not of this machine or of tuneoff."""
    return name != "embedded" and not is_path(name)


def model_title(model: str) -> str:
    """Name a model for readers elsewhere: without the folders of this machine."""
    if model == "embedded":
        return "the small T5 of tuneoff"
    return model if is_on_hub(model) else Path(model).name


def data_title(data: str | DataFiles | HubData) -> str:
    """Name a data set for readers elsewhere: without the folders of this machine."""
    if isinstance(data, HubData):
        return data_name(data)
    if data == "embedded":
        return "generated dialogues"
    if isinstance(data, str):
        return data if is_on_hub(data) else Path(data).name
    return ", ".join(f"{split}: {Path(file).name}" for split, file in data if file)


def compact(hyperparameters: Mapping[str, object]) -> str:
    """Write hyperparameters on one line, floats with three digits."""
    return ", ".join(
        f"{name}={value:.3g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in hyperparameters.items()
    )
