"""The page as a reader has it: in a browser, from a file, wide and light, narrow and dark."""

import sys
from pathlib import Path

import pytest

from search.report.write import write_comparison, write_report
from tests.browser import CHROMIUM, Page, browser

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]
AXE = Path(sys.prefix) / "node_modules/axe-core/axe.min.js"
LOOKS = [(1200, False), (390, True)]
"""Width in pixels, and whether it is dark."""
SERIOUS = """
axe.run({resultTypes: ["violations"]}).then(({violations}) => violations
  .filter(({impact}) => ["serious", "critical"].includes(impact))
  .map(({id, nodes}) => [id, nodes.length, nodes[0].html]))
"""
TYPE = """
document.getElementById("containing").value = "passport";
document.getElementById("containing").dispatchEvent(new Event("input"));
"""
CHOOSE = """
document.getElementById("axis").value = "tradeoff-train_seconds";
document.getElementById("axis").dispatchEvent(new Event("change"));
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    with browser(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture
def files(finished, tmp_path) -> list[Path]:
    """The report of a sweep that has ended, and a comparison with itself."""
    report = write_report(finished.root)
    return [report, write_comparison([finished.root, finished.root], tmp_path / "compared")]


def texts(page: Page, selector: str) -> list[str]:
    """Of all elements in sight."""
    found = f"[...document.querySelectorAll({selector!r})].filter(e => e.checkVisibility())"
    return page.run(f"{found}.map(e => e.textContent)")


@pytest.mark.parametrize(("width", "dark"), LOOKS)
def test_it_loads_nothing_complains_of_nothing_and_fits(page: Page, files: list[Path], width, dark) -> None:
    for file in files:
        page.open(file, width=width, dark=dark)
        assert page.complaints() == []
        assert page.requests() == [file.absolute().as_uri()]
        assert page.run("document.documentElement.scrollWidth") <= width


def test_everybody_can_read_it(page: Page, files: list[Path]) -> None:
    """By axe-core, https://github.com/dequelabs/axe-core: nothing serious, nothing critical."""
    if not AXE.is_file():
        pytest.skip("axe-core is not there; npm install --prefix .venv axe-core brings it")
    axe = AXE.read_text(encoding="utf-8")
    for file in files:
        for width, dark in LOOKS:
            page.open(file, width=width, dark=dark)
            page.run(axe)
            assert page.run(SERIOUS) == []


def test_what_can_be_clicked_and_typed_does_what_it_says(page: Page, files: list[Path]) -> None:
    page.open(files[0])
    page.run(
        "[...document.querySelectorAll('thead button')].find(b => b.textContent == 'Peak memory').click()"
    )
    assert texts(page, ".sortable tbody th")[-1] == "baseline (untrained)"  # it has no costs
    page.run("[...document.querySelectorAll('thead button')].find(b => b.textContent == 'ROUGE-L').click()")
    best = texts(page, ".sortable tbody th")
    page.run("[...document.querySelectorAll('thead button')].find(b => b.textContent == 'ROUGE-L').click()")
    assert best == ["lora", "full", "prompt_tuning", "baseline (untrained)"]
    assert texts(page, ".sortable tbody th") == best[::-1]
    page.run(TYPE)
    shown = texts(page, ".document")
    assert shown
    assert all("passport" in text for text in shown)
    page.run(CHOOSE)
    assert page.run(
        "[...document.querySelectorAll('#tradeoff figure')].filter(f => !f.hidden).map(f => f.id)"
    ) == ["tradeoff-train_seconds"]


def test_the_verdict_and_its_charts_fill_one_screen_and_no_more(page: Page, files: list[Path]) -> None:
    page.open(files[0], width=1280, height=800)
    charts = "[...document.querySelectorAll('#verdict svg.marks')]"
    bottoms = page.run(f"{charts}.map(e => e.getBoundingClientRect().bottom)")
    assert len(bottoms) == 2
    assert 500 < max(bottoms) <= 800


def test_a_link_shows_what_was_chosen(page: Page, files: list[Path]) -> None:
    page.open(files[0])
    page.run(CHOOSE)
    address = page.run("location.hash")
    assert "axis=tradeoff-train_seconds" in address
    page.open(files[0])
    page.run(f"location.hash = {address!r}; recall(); choose()")
    assert page.run("document.getElementById('axis').value") == "tradeoff-train_seconds"
