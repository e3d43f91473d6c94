"""report.html: whole, self-contained, and safe whatever models and data have written into it."""

import json
import re
from html.parser import HTMLParser

import pytest

from search.report.page.outputs import MOST_CHARACTERS, clipped, marked
from search.report.write import write_report

MARKUP = "</script><script>alert(1)</script><img"
HOSTILE = f'{MARKUP} src=x onerror=alert(2)> & "quoted" \u202eright to left\u202c 🎉'


class Elements(HTMLParser):
    """Every start tag of a page with its attributes, and its visible text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._hidden = 0
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._hidden += tag in ("script", "style")

    def handle_endtag(self, tag):
        self._hidden -= tag in ("script", "style")

    def handle_data(self, data):
        self.text += "" if self._hidden else data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture
def page(finished) -> str:
    return write_report(finished.root).read_text(encoding="utf-8")


def specs(html: str) -> dict:
    return json.loads(re.search(r'<script type="application/json" id="specs">(.*?)</script>', html, re.S)[1])[
        "specs"
    ]


def test_nothing_is_loaded_from_anywhere(page):
    elements = Elements(page)
    for tag, attributes in elements.tags:
        assert not {"src", "action", "srcset"} & attributes.keys(), (tag, attributes)
        assert (attributes.get("href") or "#").startswith("#"), (tag, attributes)
    (policy,) = [meta["content"] for meta in elements.named("meta") if "http-equiv" in meta]
    assert policy.startswith("default-src 'none';")
    assert "eval" not in policy
    assert len(page) < 3_000_000


def test_the_page_has_every_method_in_order_and_every_chart_has_words(page):
    elements = Elements(page)
    order = [elements.text.index(f"\n{name}") for name in ("lora", "full", "prompt_tuning", "baseline (untr")]
    assert order == sorted(order)
    charts = [a for a in elements.named("div") if a.get("class") == "chart"]
    assert {chart["data-figure"] for chart in charts} == set(specs(page))
    assert all(len(chart["aria-label"]) > 20 for chart in charts)


def test_the_costs_of_the_menu_are_those_of_the_charts(page):
    chosen = [option["value"] for option in Elements(page).named("option") if option.get("value")]
    chosen = [value for value in chosen if not value.startswith("trials-")]
    assert chosen
    assert chosen == [name for name in specs(page) if name.startswith("tradeoff-")]


def test_with_one_seed_the_page_tells_no_methods_apart(one_seed):
    html = write_report(one_seed.root).read_text(encoding="utf-8")
    text = Elements(html).text
    assert [
        claim for claim in ("Ties", "share a letter", "Holm", "Improvements", "better than") if claim in text
    ] == []
    assert "One seed cannot tell methods apart" in text
    assert text.count("over documents only") == 4  # verdict, its notes, below the methods and the trade-offs
    for name, chart in specs(html).items():
        if name.startswith("tradeoff-"):
            assert "intervals over documents only" in chart["description"]
            assert "intervals over documents only" in json.dumps(chart["layer"])


def test_figures_are_written_for_print(finished):
    folder = write_report(finished.root).parent / "figures"
    png = (folder / "tradeoff-trainable_parameters.png").read_bytes()
    assert png.startswith(b"\x89PNG")
    width = int.from_bytes(png[16:20])
    assert width > 1_800
    assert (folder / "tradeoff-trainable_parameters.svg").read_text().startswith("<svg")


def test_text_of_models_and_data_is_shown_and_never_run(finished):
    texts = {"id": HOSTILE, "source": HOSTILE, "references": [HOSTILE], "prediction": HOSTILE}
    row = texts | {"rouge1": 9.0, "rougeL": 10.0}
    for record in finished.folder.read_records():
        if record.phase == "final":
            finished.predictions(record, [row])
    page = Elements(write_report(finished.root).read_text(encoding="utf-8"))
    assert page.text.count(MARKUP) >= 3
    assert not page.named("img")
    assert all("onerror" not in attributes for _, attributes in page.tags)
    assert len(page.named("script")) == 3


def test_words_that_the_nearest_reference_lacks_are_marked():
    assert marked("Ann asks for a <b>loan</b>.", ["Ben sings.", "Ann asks for the loan"]) == (
        "Ann asks for <mark>a</mark> <mark>&lt;b&gt;loan&lt;/b&gt;.</mark>"
    )
    assert marked("", ["Ann"]) == ""
    assert marked("word", []) == "word"


def test_a_long_text_is_cut_and_says_so():
    assert clipped("x" * MOST_CHARACTERS) == "x" * MOST_CHARACTERS
    assert clipped("x" * (MOST_CHARACTERS + 1_234)).endswith(" … (1,234 more characters)")


@pytest.mark.parametrize("stage", ["bare", "searched"])
def test_what_is_not_there_yet_is_said(stage, request):
    planted = request.getfixturevalue(stage)
    elements = Elements(write_report(planted.root).read_text(encoding="utf-8"))
    assert "No method has been scored on test yet." in elements.text
    assert [a for a in elements.named("section") if a.get("id") == "tradeoff"] == []


def test_where_there_are_no_intervals_none_are_drawn(page, finished):
    """A single document gives none, and to draw nothing would be a complaint in the console."""

    def drawn(html: str) -> bool:
        layers = specs(html)["tradeoff-trainable_parameters"]["layer"]
        return any(layer["encoding"].get("y", {}).get("field") == "low" for layer in layers)

    assert drawn(page)
    row = {"id": "a", "source": "s", "references": ["r"], "prediction": "p", "rouge1": 9.0, "rougeL": 10.0}
    for record in finished.folder.read_records():
        if record.phase == "final":
            finished.predictions(record, [row])
    assert not drawn(write_report(finished.root).read_text(encoding="utf-8"))
