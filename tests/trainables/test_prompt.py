"""A prompt is filled with the columns of a row, and the place of the source in it is known."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from trainables.prompt import PromptError, fill, template

ROW: dict[str, Any] = {
    "text": "  Ann: hi {x}\nBen: ho ",
    "topic": "tea",
    "n": 7,
    "turns": ["a", "b"],
    "empty": "",
}


def filled(prompt: str, **changes: Any) -> str:
    return fill(template(prompt), ROW | changes, "text").text


def placed(prompt: str, **changes: Any) -> str | None:
    """What stands at the source's place."""
    text, place = fill(template(prompt), ROW | changes, "text")
    return text[slice(*place)] if place else None


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("{topic}: {text}|", "tea:   Ann: hi {x}\nBen: ho |"),
        ("{{ topic }}: {{ text }}|\n", "tea:   Ann: hi {x}\nBen: ho |\n"),
        ("{{ text | trim }} {topic} }", "Ann: hi {x}\nBen: ho {topic} }"),
        ("{{ turns | join(', ') }} {{ n + 1 }}{{ empty }}{# nothing #} ", "a, b 8 "),
        (
            "{% if topic %}\nOn {{ topic }}.\n{% endif %}\n{% if empty %}\nno\n{% endif %}\n{n}",
            "On tea.\n{n}",
        ),
        ("{% for turn in turns %}<{{ turn }}>{% endfor %}{{ '{{' }}", "<a><b>{{"),
        ("{{ text | replace('\\n', ' / ') | trim }}", "Ann: hi {x} / Ben: ho"),
    ],
)
def test_a_row_in_a_template(prompt: str, expected: str) -> None:
    assert filled(prompt) == expected


def test_nothing_is_escaped() -> None:
    assert filled("{{ text }}", text="<b> & \"'") == "<b> & \"'"


@pytest.mark.parametrize(
    ("prompt", "columns", "words"),
    [
        ("About {topic}:\n{text}\n{topic}, in short:", ["topic", "text"], "About : , in short:"),
        ("{the text} here", ["the text"], "here"),
        ("{% for t in turns %}{{ t }}{% endfor %} {{ text }} go", ["turns", "text"], "go"),
        ("{{ text }}{% for i in range(n) %}x{% endfor %}{# {{ topic }} #}", ["text", "n"], "x"),
        ("{% set short = text[:3] %}{{ short }} {topic}", ["text"], "{topic}"),
    ],
)
def test_the_columns_and_the_words(prompt: str, columns: list[str], words: str) -> None:
    assert list(template(prompt).columns) == columns
    assert template(prompt).words == words


@pytest.mark.parametrize(
    "prompt",
    [
        "{topic} Ann: {text}",
        "{{ text }}",
        "{{ text | trim }}{{ n }}",
        "Ann: hi {{ '{x}' }}\nBen: ho\n{{ text }}",
    ],
)
def test_the_source_is_found_where_it_was_filled_in(prompt: str) -> None:
    assert placed(prompt) == "Ann: hi {x}\nBen: ho"
    text, place = fill(template(prompt), ROW, "text")
    assert place is not None
    assert place[0] == text.rindex("Ann: hi")


def test_a_filtered_source_is_found_as_it_stands() -> None:
    assert placed("{{ text | upper }}!") == "ANN: HI {X}\nBEN: HO"
    assert placed("> {{ text }} {{ text }}", text="a") == "a"


@pytest.mark.parametrize(
    ("prompt", "changes"),
    [
        ("{{ text[:4] }}", {}),  # cut: its end is not there
        ("{{ text | length }}", {}),
        ("{{ text.split('\\n')[1] }}", {}),
        ("{text}", {"text": " \n"}),
        ("{text}", {"text": "a \ue000 b"}),
    ],
)
def test_a_source_that_does_not_stand_there_has_no_place(prompt: str, changes: dict[str, Any]) -> None:
    assert placed(prompt, **changes) is None


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        ("{{ text", "is no jinja template: line 1"),
        ("a\n{% if text %}", "is no jinja template: line 2"),
        ("{{ text | shout }}", "No filter named 'shout'"),
        ("{text", "braces do not match"),
        ("{text!r}", "nothing else, got {text!r}; for braces that stay, write a jinja template"),
    ],
)
def test_what_is_no_template(prompt: str, message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("{", r"\{").replace("|", r"\|")):
        template(prompt)


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        ("{{ topik }}", "'topik' is undefined"),
        ("{{ topic.shade }}", "has no attribute 'shade'"),
        ("{{ n / 0 }}", "ZeroDivisionError"),
        ("{{ n + topic }}", "TypeError"),
        ("{{ text.__class__.__mro__ }}", "SecurityError"),
        ("{{ turns.append(1) }}", "SecurityError"),
        ("{{ range(10 ** 7) | length }}", "OverflowError"),
    ],
)
def test_what_cannot_be_filled(prompt: str, message: str) -> None:
    with pytest.raises(PromptError, match=message):
        filled(prompt)


def test_the_prompt_of_the_documentation() -> None:
    docs = Path(__file__).parents[2] / "docs" / "tasks.md"
    (block,) = re.findall(r"```yaml\n(.*?)```", docs.read_text(encoding="utf-8"), flags=re.DOTALL)
    prompt, row = template(yaml.safe_load(block)["prompt"]), {"dialogue": " Hi. ", "topic": "tea"}
    assert prompt.fill(row) == "The topic is tea.\nHi.\n\nSummary:\n"
    assert prompt.fill(row | {"topic": ""}) == "Hi.\n\nSummary:\n"
