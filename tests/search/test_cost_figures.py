"""A cost figure is declared in one place: one that is added there is searched for, compared and drawn."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from search.records.results import load_results
from search.report.write import write_report
from tests.search.conftest import SWEEP

ROOT = Path(__file__).parents[2]
WITH_CARBON = """
import sys
from pathlib import Path

from trainables.cost import declared

grams = declared.Unit("g", declared.quantity)
declared.COST_FIGURES["carbon_grams"] = declared.CostFigure(
    "carbon_grams", "carbon dioxide", grams, "max", searched=5, column="Carbon"
)
"""
CHECK = "from search.config import load_sweep, json_schema; import json; load_sweep(sys.argv[1])\n"
SCHEMA = "print(json.dumps(json_schema()))"
REPORT = "from search.report.write import write_report; write_report(sys.argv[1])"


def python(code: str, *arguments: object) -> str:
    """What a fresh interpreter prints: the choices of settings are made when they are imported."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def measured(finished):
    """Every worker has recorded two costs that nothing declares."""
    for record in finished.folder.read_records():
        grams = {"carbon_grams": 7.0 + record.number, "bolts_lost": 4711}
        rungs = [rung.model_copy(update={"cost": rung.cost | grams}) for rung in record.rungs]
        finished.folder.write_record(record.model_copy(update={"rungs": rungs}))
    return finished


def test_what_is_not_declared_is_kept_and_shown_in_the_trials_only(measured):
    report = write_report(measured.root).parent
    assert set(pd.read_csv(report / "trials.csv")["bolts_lost"]) == {4711}
    for name in ("methods.csv", "report.json", "report.md", "report.html"):
        text = (report / name).read_text()
        assert "bolts_lost" not in text
        assert "carbon_grams" not in text


def test_a_declared_figure_may_be_searched_for(tmp_path):
    file = tmp_path / "sweep.yaml"
    wanted = "search: {trials_per_method: 4, objectives: [rougeL, {cost: carbon_grams}]}"
    file.write_text(SWEEP.replace("search: {trials_per_method: 4}", wanted))
    schema = json.loads(python(WITH_CARBON + CHECK + SCHEMA, file))
    choices = schema["$defs"]["CostObjective"]["properties"]["cost"]["enum"]
    known = ["train_seconds", "peak_memory_bytes", "trainable_parameters", "train_flops"]
    assert choices == [*known, "carbon_grams"]


def test_a_declared_figure_is_compared_tabled_and_drawn(measured):
    python(WITH_CARBON + REPORT, measured.root)
    report = measured.folder.report
    verdict = json.loads((report / "report.json").read_text())
    assert verdict["methods"][0]["costs"]["carbon_grams"] == 9
    assert "carbon_grams" in [front["axis"] for front in verdict["fronts"]]
    assert "carbon dioxide" in " ".join(verdict["advice"])
    assert set(pd.read_csv(report / "methods.csv")["carbon_grams"]) == {7, 9}
    table = (report / "report.md").read_text().partition("## Methods")[2]
    assert "Carbon |" in table.strip().splitlines()[0]
    page = (report / "report.html").read_text()
    assert "Carbon dioxide (g)</button>" in page
    assert '"title": "Carbon dioxide (g)"' in page
    assert (report / "figures/tradeoff-carbon_grams.svg").exists()


def test_costs_are_the_same_in_verdict_and_table(finished):
    report = write_report(finished.root).parent
    methods = pd.read_csv(report / "methods.csv", index_col="method")
    for method in json.loads((report / "report.json").read_text())["methods"]:
        shared = method["costs"].keys() & set(methods)
        assert {name: methods.loc[method["method"], name] for name in shared} == {
            name: method["costs"][name] for name in shared
        }


def test_a_run_without_a_finite_score_counts_for_no_cost(finished):
    """It is left out of the method's mean, so of what that mean has cost."""
    finished.final("lora", 2, None)
    results = load_results(finished.root)
    assert len(results.finals[results.finals["method"] == "lora"]) == 3
    report = write_report(finished.root).parent
    lora = pd.read_csv(report / "methods.csv", index_col="method").loc["lora"]
    (judged,) = [
        method
        for method in json.loads((report / "report.json").read_text())["methods"]
        if method["method"] == "lora"
    ]
    assert judged["seeds"] == lora["seeds"] == 2
    assert judged["costs"]["train_seconds"] == lora["train_seconds"] == 100.5


def test_what_is_declared_is_read_without_torch():
    code = "import sys, trainables.cost.declared; print({'torch', 'pandas', 'numpy'} & set(sys.modules))"
    assert python(code).strip() == "set()"
