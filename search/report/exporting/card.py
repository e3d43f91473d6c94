"""The model card: how to use what was exported, what it scored, how it was trained and at what cost."""

from collections.abc import Mapping
from typing import Any

import yaml

from search.records import Record, Results
from search.report.markdown import bullets, code, fence, section, table, text
from search.report.names import data_title, is_on_hub, model_title
from search.report.setup import metric_facts
from search.verdict import score_name
from trainables import task_types
from trainables.amounts import points
from trainables.data_source import HubData
from trainables.metrics import metric_of
from trainables.standalone.script import Weights
from trainables.task import Task


def card(results: Results, record: Record, weights: Weights, script: str) -> str:
    """Write README.md; local paths are left out, for a card is made to be shown to others."""
    task, on_hub = results.sweep.task, is_on_hub(results.sweep.task.model)
    data_id = task.data.hub if isinstance(task.data, HubData) else task.data
    header = {
        **({"base_model": task.model} if on_hub else {}),
        "library_name": "peft" if weights.is_adapter else "transformers",
        "pipeline_tag": task_types.get(task.type).hub_task,
        **({"datasets": [data_id]} if isinstance(data_id, str) and is_on_hub(data_id) else {}),
        "tags": ["tuneoff", record.method],
        "model-index": [_measured(results, record)],
    }
    model, data = code(model_title(task.model)), code(data_title(task.data))
    about = (
        f"{model} fine-tuned with {code(record.method)} on {data}: "
        f"run {code(record.id)} of the sweep {code(results.sweep.name)}, made with tuneoff."
    )
    parts = [
        f"---\n{yaml.safe_dump(header, sort_keys=False, allow_unicode=True)}---",
        f"# {text(results.sweep.name)}: {text(record.method)}",
        about,
        section("Use", _use(task, weights), fence(script, "python")),
        section("Scores on the test split", *_scores(results, record)),
        section("Hyperparameters", _facts(record.hyperparameters)),
        section("Costs", _facts(record.cost)),
    ]
    return "\n\n".join(parts) + "\n"


def _use(task: Task, weights: Weights) -> str:
    packages = "torch, transformers and peft" if weights.is_adapter else "torch and transformers"
    under = ""
    if weights.is_adapter and not weights.has_base and not is_on_hub(task.model):
        under = (
            " It loads the model under the adapter from the folder that the sweep named, which is no part of "
            "this one: change `BASE` where it lies elsewhere."
        )
    return (
        f"`predict.py` needs {packages}, and nothing of tuneoff. It reads JSON lines with the columns of the "
        f"prompt, and computes one text at a time.{under} {_SAME}"
    )


_SAME = (
    "In fp32 it gives the outputs that were scored. In bf16 and fp16 some differ, one in seven where it was "
    "measured, and the scores by less than 0.1 points: rounding depends on the kernels and on the batch."
)


def _measured(results: Results, record: Record) -> dict[str, Any]:
    """Build the `model-index` of test scores (https://hf.co/docs/hub/model-cards#evaluation-results)."""
    data = data_title(results.sweep.task.data)
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
