import pytest

from benchmarks.report import RUNGS, plant, write_report
from search.records.results import load_results, winner


def test_the_planted_folder_is_a_sweep_that_has_ended(tmp_path):
    plant(tmp_path, 30)
    results = load_results(tmp_path)
    trials = [record for method in results.methods for record in results.search(method)]
    assert len(trials) == 30
    assert {len(record.rungs) for record in trials if record.status == "completed"} == {len(RUNGS)}
    assert {record.status for record in trials} == {"completed", "stopped"}
    assert all(winner(results.search(method)) for method in results.methods)


@pytest.mark.slow
def test_a_report_is_measured(tmp_path):
    plant(tmp_path, 30)
    took = write_report(tmp_path)
    assert took["seconds"] > took["cpu_seconds"] / 8 > 0
    assert 0.05 < took["peak_gib"] < 2
    assert "lora" in (tmp_path / "report" / "report.md").read_text()
