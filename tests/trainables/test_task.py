"""The task is validated where it is written; the messages are what the author of a sweep reads."""

from typing import Any

import pytest
from pydantic import ValidationError

from trainables.task import DATA_FORMATS, DataFiles, Task

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
    task = Task(**FIELDS | {"prompt": "About {topic} {{sic}}:\n{dialogue}\n{topic}, in short:"})
    assert task.prompt_columns == ["topic", "dialogue"]
    assert task.instruction == "About {sic}: , in short:"
    assert task.prompt.format_map({"topic": "tea", "dialogue": "A: {hi}"}).startswith(
        "About tea {sic}:\nA: {hi}"
    )


def test_a_column_may_have_a_space_in_its_name() -> None:
    task = Task(**FIELDS | {"source": "the text", "prompt": "{the text}"})
    assert task.prompt_columns == ["the text"]


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        ("Summarize.", "must name the source column as {dialogue}, it names no column"),
        ("{dialoge} {topic}", "must name the source column as {dialogue}, it names {dialoge}, {topic}"),
        ("{{dialogue}}", "must name the source column as {dialogue}, it names no column"),
        ("{dialogue", "braces do not match (expected '}' before end of string)"),
        ("dialogue}", "braces do not match (Single '}' encountered in format string)"),
        ("{dialogue} {}", "each pair of braces must hold the name of one column and nothing else, got {}"),
        ("{dialogue!r}", "nothing else, got {dialogue!r}"),
        ("{dialogue:>9}", "nothing else, got {dialogue:>9}"),
        ("{dialogue.__class__}", "nothing else, got {dialogue.__class__}"),
        ("{dialogue[0]}", "nothing else, got {dialogue[0]}"),
        ("{dialogue} {summary}", "must not name the target {summary}: the model would read the answer"),
    ],
)
def test_a_prompt_that_cannot_be_rendered(prompt: str, message: str) -> None:
    assert message in messages(prompt=prompt)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": 3}, 'must be a hub id, "embedded", or files {train, validation, test}'),
        ({"data": {"validation": "b.jsonl"}}, "Field required"),
        ({"data": {"train": "a.txt"}}, "must end in one of .jsonl, .json, .csv, .tsv, .parquet, got 'a.txt'"),
        ({"target": ["summary", "summary"]}, "must name each column once"),
        ({"target": []}, "at least 1 item"),
        ({"model": ""}, "at least 1 character"),
        ({"max_source_tokens": 0}, "greater than or equal to 1"),
        ({"max_source_tokens": "512"}, "valid integer"),
        ({"micro_batch_size": True}, "valid integer"),
        ({"trust_remote_code": "yes"}, "valid boolean"),
        ({"metric": "bleu"}, "'rouge1', 'rouge2', 'rougeL' or 'rougeLsum'"),
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
