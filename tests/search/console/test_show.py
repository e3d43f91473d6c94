"""What `tuneoff show` prints of a run folder."""

import io
import json
import math

import pytest
from rich.console import Console

from search.console.verdict_table import CELLS, interval, print_verdict
from search.records import load_results
from search.report import write_report
from search.verdict import Estimate, verdict
from tests.search.conftest import tree


def estimate(mean: float, low: float, high: float) -> Estimate:
    return Estimate(mean, low, high, seed_sd=math.nan, is_cut=False)


def shown(planted, width: int = 160) -> str:
    console = Console(file=io.StringIO(), width=width)
    results = load_results(planted.folder.root)
    print_verdict(results, verdict(results), console)
    assert isinstance(console.file, io.StringIO)
    return "".join(line.rstrip() + "\n" for line in console.file.getvalue().splitlines())


def test_the_verdict_of_a_sweep_that_has_ended(finished, golden):
    golden(shown(finished), "show.txt")


def test_in_a_narrow_terminal_costs_are_left_out_before_a_line_is_broken(finished):
    title, header, rule, *rows = [line for line in shown(finished, width=80).splitlines() if line][:7]
    assert max(map(len, [title, header, rule, *rows])) <= 80
    assert "Trainable" in header
    assert "Peak memory" not in header
    assert [row.split()[0] for row in rows] == ["lora", "full", "prompt_tuning", "baseline"]


def test_of_a_sweep_without_a_final_where_it_stands(searched):
    text = shown(searched)
    assert "search" in text
    assert "on test, with its" not in text
    assert verdict(load_results(searched.folder.root)).summary in text


@pytest.mark.parametrize(
    ("value", "begin", "mean", "end"),
    [((0, 0, 100), 0, 0, CELLS - 1), ((50, 25, 75), 7, 14, 22), ((100, 100, 100), None, CELLS - 1, None)],
)
def test_an_interval_lies_where_its_limits_are_on_the_scale(value, begin, mean, end):
    drawn = interval(estimate(*value), 0, 100)
    assert len(drawn) == CELLS
    assert drawn.index("●") == mean
    for mark, place in (("├", begin), ("┤", end)):
        assert drawn.find(mark) == (-1 if place in (None, mean) else place)


def test_without_an_interval_only_the_mean_is_drawn():
    drawn = interval(estimate(50, math.nan, math.nan), 0, 100)
    assert drawn.split() == ["●"]


def test_equal_scores_have_no_scale_to_lie_on():
    assert interval(estimate(7, 7, 7), 7, 7).startswith("●")


def test_the_command_prints_it_and_changes_nothing(finished, tuneoff):
    before = tree(finished.folder.root)
    code, out, _ = tuneoff("show", str(finished.folder.root))
    assert code == 0
    assert verdict(load_results(finished.folder.root)).summary in out
    assert tree(finished.folder.root) == before


def test_json_is_what_the_report_holds(finished, tuneoff):
    _, out, _ = tuneoff("show", "--json", str(finished.folder.root))
    write_report(finished.folder.root)
    assert json.loads(out) == json.loads((finished.folder.report / "report.json").read_text())


def test_what_is_no_run_folder_is_refused(tuneoff, tmp_path):
    code, _, error = tuneoff("show", str(tmp_path))
    assert code == 2
    assert "is not a run folder" in error
