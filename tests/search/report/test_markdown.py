import pytest
from markdown_it import MarkdownIt

from search.report import markdown

HOSTILE = [
    "<script>alert(1)</script>",
    "a | b || c",
    "```\n# a heading\n```",
    "`` ` ``",
    "`",
    "\\` <b>bold</b>",
    "![image](http://example.org/x.png) [link](javascript:alert(1))",
    "&lt;b&gt; &amp;",
    "**bold** _x_ ~~gone~~",
    "🙂 naïve ✨",
    "مرحبا بالعالم",
    "line\rreturn \x1b[31mred\x00",
    "\u2028# a heading\x0b# another",
]
HTML = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def kinds(source: str) -> set[str]:
    tokens = HTML.parse(source)
    return {child.type for token in tokens for child in [token, *(token.children or [])]}


def visible(text: str) -> str:
    """What a reader should see of a text on one line."""
    return " ".join(text.split()).replace("\x1b", "\ufffd").replace("\x00", "\ufffd")


@pytest.mark.parametrize("text", HOSTILE)
def test_text_is_never_read_as_markup(text):
    assert kinds(f"- {markdown.text(text)}") <= {
        *("bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close"),
        *("paragraph_open", "paragraph_close", "inline", "text", "text_special"),
    }


@pytest.mark.parametrize("text", HOSTILE)
def test_a_code_span_in_a_table_shows_the_text_and_nothing_else(text):
    drawn = markdown.table(["Name", "Score"], [[markdown.code(text), "1.00"]])
    spans = [c for token in HTML.parse(drawn) for c in token.children or [] if c.type == "code_inline"]
    assert [span.content for span in spans] == [visible(text)]
    assert not kinds(drawn) & {"html_inline", "html_block", "heading_open", "link_open", "image"}


@pytest.mark.parametrize("text", [*HOSTILE, "", "````\n`````"])
def test_a_fence_holds_any_text(text):
    tokens = HTML.parse(f"{markdown.fence(text)}\n\nafter")
    assert [token.type for token in tokens] == ["fence", "paragraph_open", "inline", "paragraph_close"]
    assert "\x1b" not in tokens[0].content


def test_a_fence_leaves_long_lines_and_trailing_spaces_alone():
    assert markdown.fence("word " * 50) == f"```text\n{'word ' * 50}\n```"


def test_wrapping_breaks_at_spaces_only():
    text = "  indented well-known words\n\n" + "x" * 30
    assert markdown.wrap(text, 20) == ["  indented", "well-known words", "", "x" * 30]


def test_columns_are_aligned_and_only_the_last_one_is_wrapped():
    drawn = markdown.columns([("a", "1.00", "one\ntwo"), ("longer", "", "")])
    assert drawn.splitlines() == ["a       1.00  one", "              two", "longer"]


def test_a_table_is_aligned_in_its_source():
    assert markdown.table(["Name", "N"], [["a", "1"], ["b|c", "10"]]).splitlines() == [
        "| Name |   N |",
        "| ---- | --: |",
        "| a    |   1 |",
        "| b\\|c |  10 |",
    ]
