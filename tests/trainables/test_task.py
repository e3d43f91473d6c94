"""The task is validated where it is written; the messages are what the author of a sweep reads."""

from typing import Any

import pytest
from pydantic import ValidationError

from trainables import metrics, task_types
from trainables.data_files import DATA_FORMATS
from trainables.data_source import DataFiles
from trainables.task import Task

FIELDS: dict[str, Any] = {
    "model": "google/flan-t5-small",
    "data": "knkarthick/dialogsum",
    "source": "dialogue",
    "target": "summary",
    "prompt": "Summarize.\n\n{dialogue}\n\nSummary: ",
}


def messages(**changes: Any) -> str:
    with pytest.raises(ValidationError) as error:
        Task(**FIELDS | changes)
    return "\n".join(detail["msg"].removeprefix("Value error, ") for detail in error.value.errors())


def test_defaults() -> None:
    task = Task(**FIELDS)
    assert (task.max_source_tokens, task.max_target_tokens) == (512, 128)
    assert (task.metric, task.references, task.precision) == ("rougeL", "mean", "auto")
    assert not task.chat_template
    assert not task.trust_remote_code
    assert task.micro_batch_size is None


def test_a_task_is_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Task(**FIELDS).metric = "rouge1"  # type: ignore[misc]


def test_data_is_a_name_or_files() -> None:
    files = {"train": "a.jsonl", "test": "c.csv"}
    assert Task(**FIELDS | {"data": files}).data == DataFiles(train="a.jsonl", test="c.csv")
    assert Task(**FIELDS | {"data": "embedded"}).data == "embedded"


def test_several_targets_are_a_list() -> None:
    assert Task(**FIELDS | {"target": ["summary1", "summary2"]}).target == ["summary1", "summary2"]


@pytest.mark.parametrize("suffix", DATA_FORMATS)
def test_every_format_is_accepted_in_any_case(suffix: str) -> None:
    assert DataFiles(train=f"a{suffix}", validation=f"B{suffix.upper()}").test is None


def test_the_prompts_columns_and_its_own_words() -> None:
    task = Task(**FIELDS | {"prompt": "About {topic}:\n{dialogue}\n{topic}, in short:"})
    assert task.prompt_columns == ["topic", "dialogue"]
    assert task.instruction == "About : , in short:"
    task = Task(**FIELDS | {"prompt": "{% if topic %}About {{ topic }} {sic}: {% endif %}{{ dialogue }}"})
    assert task.prompt_columns == ["topic", "dialogue"]
    assert task.instruction == "About {sic}:"


def test_a_column_may_have_a_space_in_its_name() -> None:
    task = Task(**FIELDS | {"source": "the text", "prompt": "{the text}"})
    assert task.prompt_columns == ["the text"]


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        ("Summarize.", "must name the source column as {dialogue}, it names no column"),
        ("{dialoge} {topic}", "must name the source column as {dialogue}, it names {dialoge}, {topic}"),
        ("{{dialoge}}", "must name the source column as {{ dialogue }}, it names {{ dialoge }}"),
        ("{{ topic }} {dialogue}", "must name the source column as {{ dialogue }}, it names {{ topic }}"),
        ("{{ dialogue", "is no jinja template: line 1: unexpected end of template"),
        ("{dialogue", "braces do not match (expected '}' before end of string)"),
        ("dialogue}", "braces do not match (Single '}' encountered in format string)"),
        ("{dialogue} {}", "each pair of braces must hold the name of one column and nothing else, got {}"),
        ("{dialogue!r}", "nothing else, got {dialogue!r}"),
        ("{dialogue:>9}", "nothing else, got {dialogue:>9}"),
        ("{dialogue.__class__}", "must name the source column as {dialogue}, it names {dialogue.__class__}"),
        ("{dialogue[0]}", "nothing else, got {dialogue[0]}"),
        ("{dialogue} {summary}", "must not name the target 'summary': the model would read the answer"),
        ("{{ dialogue }}{{ summary | length }}", "must not name the target 'summary'"),
    ],
)
def test_a_prompt_that_cannot_be_rendered(prompt: str, message: str) -> None:
    assert message in messages(prompt=prompt)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": 3}, 'must be a hub id, {hub: ...}, "embedded", or files {train, validation, test}'),
        ({"data": {"validation": "b.jsonl"}}, "Field required"),
        (
            {"data": {"train": "a.txt"}},
            "must end in one of .jsonl, .json, .csv, .tsv, .parquet, .arrow (.gz, .bz2, .zst",
        ),
        ({"target": ["summary", "summary"]}, "must name each column once"),
        ({"target": []}, "at least 1 item"),
        ({"model": ""}, "at least 1 character"),
        ({"max_source_tokens": 0}, "greater than or equal to 1"),
        ({"max_source_tokens": "512"}, "valid integer"),
        ({"micro_batch_size": True}, "valid integer"),
        ({"trust_remote_code": "yes"}, "valid boolean"),
        (
            {"metric": "bleu"},
            "must be one of rouge1, rouge2, rougeL, rougeLsum for type: summarization, got 'bleu'",
        ),
        ({"metric": "rougel"}, "got 'rougel'; did you mean 'rougeL'?"),
        (
            {"type": "translate"},
            "must be one of classification, generation, question_answering, summarization",
        ),
        ({"type": "translate"}, "got 'translate'; did you mean 'translation'?"),
        ({"type": "generation"}, "is required for type: generation: one of bleu, chrf, rouge1, rouge2"),
        ({"type": "generation", "metric": "accuracy"}, "accuracy is for type: classification"),
        ({"type": "generation", "metric": "wer"}, "the lowest wer is the best"),
        ({"type": "classification", "target": ["a", "b"]}, "must be one column for type: classification"),
        ({"type": "classification", "labels": ["a"]}, "must be two words or more, each once, got ['a']"),
        ({"type": "classification", "labels": {"0": "a", "1": "a"}}, "each once, got ['a', 'a']"),
        ({"labels": ["a", "b"]}, "belongs to type: classification, not to summarization"),
        ({"references": "all"}, "must be mean or max for rougeL, got 'all'"),
        ({"type": "question_answering", "references": "mean"}, "must be max for f1, got 'mean'"),
        ({"system": "Be brief."}, "set chat_template: true, or put it into the prompt"),
        ({"metric_scale": 0.0}, "greater than 0"),
        ({"metrics": "rougeL"}, "Extra inputs are not permitted"),
    ],
)
def test_bad_fields(changes: dict[str, Any], message: str) -> None:
    assert message in messages(**changes)


def test_the_prompt_is_judged_although_another_field_is_wrong() -> None:
    assert messages(max_target_tokens=0, prompt="{x}").count("\n") == 1


@pytest.mark.parametrize("model", [Task, DataFiles])
def test_every_field_is_described(model: type[Task] | type[DataFiles]) -> None:
    assert all(field.description for field in model.model_fields.values())


@pytest.mark.parametrize(
    ("task_type", "metric", "references", "scored_by"),
    [
        ("summarization", "rougeL", "mean", ("rouge",)),
        ("translation", "bleu", "all", ("bleu", "chrf")),
        ("question_answering", "f1", "max", ("squad",)),
        ("classification", "accuracy", "max", ("labels",)),
    ],
)
def test_a_type_decides_how_its_outputs_are_scored(
    task_type: str, metric: str, references: str, scored_by: tuple[str, ...]
) -> None:
    task = Task(**FIELDS | {"type": task_type})
    assert (task.metric, task.references, task.scored_by) == (metric, references, scored_by)
    assert Task.model_validate_json(task.model_dump_json()) == task


@pytest.mark.parametrize(
    ("metric", "references", "scored_by", "module"),
    [
        ("rouge2", "mean", ("rouge",), None),
        ("chrf", "all", ("chrf",), None),
        ("exact_match", "max", ("squad",), None),
        ("meteor", "mean", ("evaluate",), "meteor"),
        ("own/metric.py:f1", "mean", ("evaluate",), "own/metric.py:f1"),
    ],
)
def test_a_generation_is_scored_by_any_metric(
    metric: str, references: str, scored_by: tuple[str, ...], module: str | None
) -> None:
    task = Task(**FIELDS | {"type": "generation", "metric": metric})
    assert (task.references, task.scored_by) == (references, scored_by)
    assert task.rules().module == module


def test_labels_are_words_or_a_word_for_each_value() -> None:
    fields = FIELDS | {"type": "classification"}
    assert Task(**fields | {"labels": ["yes", "no"]}).labels == ["yes", "no"]
    assert Task(**fields | {"labels": {0: "no", 1: "yes"}}).labels == {"0": "no", "1": "yes"}
    assert Task(**fields | {"metric": "macro_f1"}).metric == "macro_f1"


@pytest.mark.parametrize("task_type", task_types.available())
def test_every_type_has_scores_and_a_prompt_to_start_from(task_type: str) -> None:
    found = task_types.get(task_type)
    assert set(found.metrics) <= set(metrics.available())
    assert found.score is None or metrics.metric_of(found.score) in found.metrics
    prompt = found.prompt.replace("<source>", "dialogue").replace("<target>", "summary")
    assert Task(**FIELDS | {"type": task_type, "metric": found.score or "rougeL", "prompt": prompt})
