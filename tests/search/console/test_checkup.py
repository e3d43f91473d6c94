"""What `tuneoff check` looks at before anything is spent: filled prompts, labels, and mistakes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from search.config.sweep import load_sweep
from search.console.checkup import checkup
from search.console.listings import print_checkup
from trainables.errors import InputError

ROWS = [
    {
        "text": f"Ann looks for a lamp and {'map ' * i}key.",
        "mood": "glad" if i % 3 else "sad",
        "topic": "lamps",
    }
    for i in range(40)
]


@pytest.fixture
def sweep(tmp_path: Path, model_folder: Callable[..., str]) -> Callable[..., Any]:
    """`sweep(family, **fields of the task)`: of labelled texts."""
    (tmp_path / "train.jsonl").write_text("\n".join(map(json.dumps, ROWS)))

    def load(family: str = "t5", **fields: Any) -> Any:
        task = {
            "model": model_folder(family, 0.1, False),
            "data": {"train": "train.jsonl"},
            "source": "text",
            "target": "mood",
            "prompt": "{% if topic %}in the {{ topic }}: {% endif %}{{ text }}\n",
            **fields,
        }
        (tmp_path / "s.yaml").write_text(json.dumps({"name": "s", "task": task, "methods": {"lora": {}}}))
        return load_sweep(tmp_path / "s.yaml")

    return load


def test_the_prompt_is_shown_as_it_is_filled(sweep: Callable[..., Any], capsys: Any) -> None:
    loaded = sweep("llama", type="classification")
    found = checkup(loaded)
    assert found.examples[0].prompt.startswith("<s>in the lamps: Ann looks for a lamp and ")
    assert found.examples[0].label in ("glad</s>", "sad</s>")
    print_checkup(loaded, found)
    printed = capsys.readouterr().out
    assert "in the lamps: Ann looks for a lamp and" in printed
    assert "Note: Labels, the most likely of which is the output: glad, sad." in printed


@pytest.mark.parametrize(
    ("family", "fields", "hint"),
    [
        ("llama", {}, "The tokenizer has a chat template: for an instruct model"),
        ("t5", {"prompt": "{{ text[:9] }}"}, "The prompt changes the source"),
        ("llama", {"chat_template": True, "system": "Please."}, None),
        ("t5", {}, None),
    ],
)
def test_what_an_author_may_not_have_meant_is_said(
    sweep: Callable[..., Any], family: str, fields: dict[str, Any], hint: str | None
) -> None:
    hints = checkup(sweep(family, **fields)).hints
    assert [line.startswith(hint or "") for line in hints] == ([True] if hint else [])


def test_one_seed_is_said_to_compare_nothing(sweep: Callable[..., Any]) -> None:
    several = sweep("t5")
    single = several.model_copy(update={"final": several.final.model_copy(update={"seeds": 1})})
    assert checkup(single).hints == [
        "One seed cannot tell methods apart: with final.seeds: 3 the report compares them."
    ]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"type": "generation", "metric": "meteor"}, "task.metric: meteor is code from the Hugging Face hub"),
        ({"type": "generation", "metric": "none.py"}, r"task.metric: none.py cannot be loaded"),
        ({"prompt": "{{ text }} {{ topik }}"}, "has no column 'topik'; it has 'text', 'mood', 'topic'"),
        ({"type": "classification", "labels": ["glad", "calm"]}, "task.labels: the data has the value 'sad'"),
        ({"chat_template": True}, "task.chat_template: the tokenizer of .* has none"),
    ],
)
def test_mistakes_are_told(sweep: Callable[..., Any], fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        checkup(sweep(**fields))


def test_a_metric_beside_the_sweep_file_is_found_from_anywhere(
    sweep: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "own.py").write_text("")
    loaded = sweep(type="generation", metric="own.py:score")
    assert loaded.task.metric == f"{tmp_path / 'own.py'}:score"


def test_signs_that_the_tokenizer_does_not_know_are_named(sweep: Callable[..., Any]) -> None:
    found = checkup(sweep("t5", prompt="{text} 茶 茶 茶 é\n"))
    (warning,) = [hint for hint in found.hints if "the tokenizer does not know" in hint]
    assert warning.startswith("Warning: ")
    assert "'茶', 'é'" in warning
