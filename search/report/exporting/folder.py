"""What one run of the final trained, as a folder of its own with a model card that says what it scored."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from search.records import BASELINE, Record, Results, load_results
from search.report.markdown import bullets, code, section, table, text
from search.report.names import data_name
from search.report.setup import metric_facts
from search.verdict import score_name
from spaces import did_you_mean
from trainables import task_types
from trainables.amounts import points
from trainables.errors import InputError
from trainables.metrics import metric_of
from trainables.status import Status
from trainables.storage.atomic import new_folder, write_text
from trainables.storage.place import local_copy
from trainables.storage.sums import seal


def export(folder: str | Path, method: str, to: str | Path, seed: int = 0) -> Path:
    """Copy what one run of the final trained to the folder `to`, with a model card; return `to`.

    Raises:
        InputError: no finished run of that method and seed, its weights are links to elsewhere, or `to` holds
            something already or cannot be written.
    """
    results, target = load_results(folder), Path(to).absolute()
    record = _finished(results, method, seed)
    _check_empty(target)
    try:
        with new_folder(target) as draft:
            with local_copy(results.folder.adapter(record)) as weights:
                shutil.copytree(weights, draft, symlinks=True, dirs_exist_ok=True)
            card = _card(results, record, peft=(draft / "adapter_config.json").exists())
            write_text(draft / "README.md", card)
            seal(draft)
    except OSError as error:
        raise InputError(f"{target} cannot be written ({error}).") from error
    return target


def _finished(results: Results, method: str, seed: int) -> Record:
    finals = results.finals[results.finals["method"] != BASELINE]
    present = list(dict.fromkeys(finals["method"]))
    if method not in present:
        raise InputError(_unknown(method, present))
    record = results.final(method, seed)
    if record is None:
        seeds = ", ".join(str(index) for index in sorted(finals.loc[finals["method"] == method, "seed"]))
        raise InputError(f"The final has no seed {seed} of {method!r}. Seeds present: {seeds}.")
    if record.status is not Status.COMPLETED:
        raise InputError(
            f"The final {record.id} is not finished (it is {record.status}). "
            f"`tuneoff resume {results.folder.root}` goes on with the sweep."
        )
    weights = results.folder.adapter(record)
    if not weights.is_dir():
        raise InputError(f"The weights of {record.id} are gone: {weights} does not exist.")
    return record


def _unknown(method: str, present: list[str]) -> str:
    if not present:
        return f"There is nothing to export of {method!r}: the sweep has no finals yet."
    hint = did_you_mean(method, present)
    return f"The final has no method {method!r}{hint or '.'} Methods present: {', '.join(present)}."


def _check_empty(target: Path) -> None:
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise InputError(f"{target} exists and is not an empty folder. Name another one, or empty it first.")


def _card(results: Results, record: Record, *, peft: bool) -> str:
    task = results.sweep.task
    header = {
        "base_model": task.model,
        "library_name": "peft" if peft else "transformers",
        **({"datasets": [task.data]} if isinstance(task.data, str) and task.data != "embedded" else {}),
        "tags": ["tuneoff", record.method],
        "model-index": [_measured(results, record)],
    }
    about = (
        f"{code(task.model)} fine-tuned with {code(record.method)} on {code(data_name(task.data))}: "
        f"run {code(record.id)} of the sweep {code(results.sweep.name)}, made with tuneoff."
    )
    parts = [
        f"---\n{yaml.safe_dump(header, sort_keys=False, allow_unicode=True)}---",
        f"# {text(results.sweep.name)}: {text(record.method)}",
        about,
        section("Scores on the test split", *_scores(results, record)),
        section("Hyperparameters", _facts(record.hyperparameters)),
        section("Costs", _facts(record.cost)),
    ]
    return "\n\n".join(parts) + "\n"


def _measured(results: Results, record: Record) -> dict[str, Any]:
    """Build the `model-index` of test scores (https://hf.co/docs/hub/model-cards#evaluation-results)."""
    data = data_name(results.sweep.task.data)
    metrics = [
        {"type": _type(name), "name": score_name(name), "value": round(score, 2)}
        for name, score in record.rungs[-1].scores.items()
        if score is not None
    ]
    dataset = {"name": data, "type": data, "split": record.split}
    hub_task = task_types.get(results.sweep.task.type).hub_task
    task = {"type": hub_task, "name": hub_task.replace("-", " ").capitalize()}
    return {"name": results.sweep.name, "results": [{"task": task, "dataset": dataset, "metrics": metrics}]}


def _type(score: str) -> str:
    """Name the metric as the hub does: every ROUGE score is `rouge`; one of evaluate has its own name."""
    metric = metric_of(score)
    return metric if metric == "rouge" else score_name(score) if metric == "evaluate" else score


def _scores(results: Results, record: Record) -> tuple[str, str]:
    scores = record.rungs[-1].scores
    drawn = table(["Score", "Points"], [[score_name(name), points(score)] for name, score in scores.items()])
    others = "; the sweep's report has the spread over seeds" if results.sweep.final.seeds > 1 else ""
    return drawn, f"{metric_facts(results)}. Of this run alone{others}."


def _facts(facts: Mapping[str, object]) -> str:
    return bullets([f"{code(name)}: {code(value)}" for name, value in facts.items() if value is not None])
