"""Charts for print, drawn here or in a process beside, and the charts themselves: Vega-Lite by its schema."""

import errno
import json
import math
import os
import subprocess
import sys
from importlib.resources import files

import jsonschema
import pytest

from search.records.results import load_results
from search.report.drawing import draw, drawn_beside
from search.report.figures import Figure, figures
from search.report.vegalite import SCHEMA, data
from search.report.write import write_report
from search.verdict import verdict
from search.verdict.importance import ENOUGH_TRIALS
from search.verdict.search_quality import search_statistics
from tests.search.conftest import tree

NARROW, WIDE = (
    {"data": {"values": [{"x": x}]}, "mark": "point", "encoding": {"x": {"field": "x"}}} for x in (1, 10**9)
)


def drawn(planted) -> list[Figure]:
    results = load_results(planted.root)
    quality = [search_statistics(results, method) for method in results.methods]
    return figures(results, verdict(results), quality)


def vega_lite_schema() -> dict:
    schema = files("altair").joinpath("vegalite/v6/schema/vega-lite-schema.json")
    return json.loads(schema.read_text(encoding="utf-8"))


def test_every_chart_is_vega_lite(finished):
    for number in range(100, 100 + ENOUGH_TRIALS):
        point = {"learning_rate": number * 1e-5, "batch_size": 8}
        finished.trial("lora", number, [number / 10, number / 5, number / 4], hyperparameters=point)
    found = drawn(finished)
    kinds = {figure.name.partition("-")[0] for figure in found}
    assert kinds == {"forest", "tradeoff", "learning", "best", "importance", "parallel", "slices"}
    validator = jsonschema.Draft7Validator(vega_lite_schema())
    for figure in found:
        assert figure.spec["$schema"] == SCHEMA
        assert list(validator.iter_errors(figure.spec)) == [], figure.name


def test_the_schema_finds_what_is_not_vega_lite():
    validator = jsonschema.Draft7Validator(vega_lite_schema())
    assert validator.is_valid(WIDE)
    assert not validator.is_valid(WIDE | {"encoding": {"x": {"fields": "x"}}})


def test_what_is_no_number_is_unknown_in_a_chart():
    rows = [{"a": math.nan, "b": math.inf, "c": 0.0, "d": "nan", "e": True}]
    assert data(rows) == {"data": {"values": [{"a": None, "b": None, "c": 0.0, "d": "nan", "e": True}]}}


def test_what_is_drawn_beside_is_what_is_drawn_here():
    with drawn_beside() as beside:
        svgs, none, again = (list(beside(charts)) for charts in ([WIDE, NARROW], [], [NARROW]))
    assert svgs == list(draw([WIDE, NARROW]))
    assert (none, again) == ([], svgs[1:])
    assert svgs[0].startswith("<svg")
    assert svgs[0] != svgs[1]


def test_a_process_whose_command_was_killed_ends():
    """It holds the error stream, which does not end before it does."""
    code = "import os, search.report.drawing as d; beside = d.drawn_beside(); beside.__enter__(); os._exit(0)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=True)
    assert ended.stdout == ended.stderr == b""


def test_a_chart_that_cannot_be_drawn_ends_the_report_and_says_why(finished, capfd):
    def first_is_bad(charts):
        return beside([{"mark": "no such mark"}, *charts[1:]])

    with drawn_beside() as beside, pytest.raises(ValueError, match="shorter"):
        write_report(finished.root, first_is_bad)
    assert "conversion failed" in capfd.readouterr().err


@pytest.mark.slow
def test_with_little_memory_all_but_the_figures_for_print_is_written(finished):
    """V8 ends the process that draws."""
    code = "import sys, resource as r; r.setrlimit(r.RLIMIT_AS, (6 * 2**30,) * 2); from search.report import "
    write = f"{code}write_report; write_report(sys.argv[1])"
    command = [sys.executable, "-c", write, str(finished.root)]
    ended = subprocess.run(command, capture_output=True, timeout=240, check=True, text=True)
    assert "figures for print are not written: what draws them ended with SIG" in ended.stderr
    assert (finished.root / "report" / "report.html").exists()


@pytest.mark.parametrize("is_read_only", [False, True])
def test_a_report_may_lie_elsewhere(finished, tmp_path, tuneoff, monkeypatch, is_read_only):
    """Root may write everywhere: what a read-only disk says is planted."""
    if is_read_only:

        def refuse(path, text):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

        monkeypatch.setattr("search.report.write.write_text", refuse)
        code, _, error = tuneoff("report", str(finished.root))
        assert code == 2
        assert "report cannot be written (Read-only file system). Name another folder with --to." in error
    else:
        before = tree(finished.root)
        out = tmp_path / "elsewhere"
        assert tuneoff("report", str(finished.root), "--to", str(out))[:2] == (0, f"{out / 'report.html'}\n")
        assert (out / "figures" / "best-so-far.png").exists()
        assert tree(finished.root) == before


def test_a_report_drawn_beside_is_the_same_report(finished):
    def texts() -> dict[str, bytes]:
        files = (finished.root / "report").rglob("*.*")
        return {file.name: file.read_bytes() for file in files if file.suffix != ".pdf"}  # it says when

    write_report(finished.root)
    expected = texts()
    with drawn_beside() as beside:
        write_report(finished.root, beside)
    assert texts() == expected
    assert {"report.html", "best-so-far.svg", "best-so-far.png"} <= expected.keys()
