"""report.html: one offline file with what report.md says, charts to look into, and more examples."""

import json
from dataclasses import asdict
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2
from markdown_it import MarkdownIt
from markupsafe import Markup

from search.records import BASELINE, Results
from search.report import palette
from search.report.figures import Figure
from search.report.forest import noise_floor
from search.report.gaps import gaps
from search.report.headline import headline
from search.report.names import method_name, metric_name, subject
from search.report.page.outputs import documents
from search.report.page.sortable import improvements, methods
from search.report.page.vega import scripts
from search.report.scored import correction, leading, outside, reading
from search.report.sections import Sections
from search.verdict import Verdict
from trainables.amounts import points, within

_HERE = files(__package__)


def page(results: Results, verdict: Verdict, shared: Sections, figures: list[Figure]) -> str:
    """Render the whole page; text of models and data is escaped, and nothing is loaded from anywhere."""
    return _template("page.html.j2").render(
        name=results.sweep.name,
        subject=subject(results),
        is_imported=results.sweep.imported,
        verdict=verdict,
        headline=headline(verdict),
        untrained=_untrained(verdict),
        noise_floor=points(noise_floor(verdict)) if noise_floor(verdict) else "",
        gaps=[_inline(gap) for gap in gaps(results)],
        metric=metric_name(results),
        method_name=lambda method: method_name(method).strip("`"),
        methods=methods(results, verdict),
        correction=correction(verdict),
        leading=leading(verdict),
        reading=reading(results, verdict),
        outside=" ".join(outside(results, verdict)),
        has_retrained_defaults=not all(default.is_winner for default in verdict.untuned),
        improvements=improvements(verdict),
        figures=figures,
        searched=[m for m in results.methods if any(f.section == f"search-{m}" for f in figures)],
        **{name: _section(markdown) for name, markdown in asdict(shared).items()},
        documents=documents(results),
        specs=_script_json({"specs": {figure.name: figure.spec for figure in figures}, "looks": _looks()}),
        tokens=Markup(palette.css()),
        css=_file("page.css"),
        script=_file("charts.js") + _file("page.js"),
        vega=Markup(scripts()) if figures else "",
    )


def plain_page(title: str, markdown: str) -> str:
    """Render a Markdown document as a page of its own."""
    return _template("plain.html.j2").render(
        title=title,
        tokens=Markup(palette.css()),
        css=_file("page.css"),
        body=Markup(_markdown().render(markdown)),
    )


_FONT = "system-ui, sans-serif"


def _looks() -> dict[str, dict[str, Any]]:
    return {"light": palette.look(font=_FONT), "dark": palette.look(dark=True, font=_FONT)}


def _untrained(verdict: Verdict) -> str:
    """Write the untrained model's score, which is no row of the forest plot."""
    found = next((method.score for method in verdict.methods if method.method == BASELINE), None)
    return within(found.mean, found.low, found.high) if found else ""


@cache
def _template(name: str) -> jinja2.Template:
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(_file(name))


def _file(name: str) -> Markup:
    return Markup(_HERE.joinpath(name).read_text(encoding="utf-8"))


def _script_json(value: Any) -> Markup:
    """Encode JSON that no text in it can turn into markup."""
    return Markup(json.dumps(value).replace("<", "\\u003c"))


@cache
def _markdown() -> MarkdownIt:
    """Make the Markdown reader; tables scroll by themselves, so that the page never does sideways."""
    reader = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    reader.add_render_rule("table_open", lambda *_: f"{_SCROLL}<table>\n")
    reader.add_render_rule("table_close", lambda *_: "</table></div>\n")
    return reader


_SCROLL = '<div class="scroll" tabindex="0" role="group" aria-label="Table">'


def _section(markdown: str) -> Markup:
    """Render a section of report.md without its heading."""
    return Markup(_markdown().render(markdown.partition("\n")[2]))


def _inline(markdown: str) -> Markup:
    return Markup(_markdown().renderInline(markdown))
