"""Predictions that were damaged: told wherever they are read, and at a resume the run is done again."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from search.engine.runner import run
from search.records.repair import repair
from search.records.results import load_results
from search.records.trial_store import TrialStore
from tests.search.conftest import tree
from tests.search.replay import Replay, plant_task, steps, sweep
from trainables.errors import InputError
from trainables.status import Status
from trainables.storage import predictions

pytestmark = pytest.mark.faults

RUN = "prompt/seed-0"


def without_a_column(file: Path) -> None:
    pd.read_parquet(file).drop(columns="rougeL").to_parquet(file)


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 8] ^= 1
    file.write_bytes(content)


def make_folder(file: Path) -> None:
    file.unlink()
    (file / "deep").mkdir(parents=True)


DAMAGES = {
    "empty": lambda file: file.write_bytes(b""),
    "truncated": lambda file: file.write_bytes(file.read_bytes()[:-100]),
    "zeroed": lambda file: file.write_bytes(bytes(4000)),
    "a byte flipped": flip,
    "no scores": without_a_column,
    "another table": lambda file: pd.DataFrame({"a": [1]}).to_parquet(file),
    "a folder": make_folder,
}


@pytest.fixture
def damaged(released, request):
    """A finished run folder, in which the predictions of one run were damaged."""
    file = released.root / "final" / RUN / "predictions.parquet"
    predictions.write(pd.read_parquet(file), file)
    DAMAGES[request.param](file)
    return released


every_damage = pytest.mark.parametrize("damaged", DAMAGES, indirect=True)


@every_damage
def test_a_report_goes_on_without_them_and_tells_it(damaged, tuneoff, caplog):
    before = tree(damaged.root / "final")
    assert tuneoff("report", "run")[0] == 0
    file = damaged.root / "final" / RUN / "predictions.parquet"
    (told,) = caplog.messages
    assert told.startswith(f"The predictions {file} are damaged: ")
    assert told.endswith(" `tuneoff resume` sets them aside and has the run again.")
    report = (damaged.report / "report.md").read_text()
    assert f"- `{RUN}`: its predictions are damaged" in report
    assert "Not shown, as their predictions are not at hand: `prompt`." in report
    assert tree(damaged.root / "final") == before


@every_damage
def test_they_are_set_aside_and_their_run_is_to_be_done_again(damaged):
    before = dict(TrialStore(damaged).records)
    file = damaged.root / "final" / RUN / "predictions.parquet"
    (line,) = repair(damaged)
    assert line.startswith(f"The predictions {file} are damaged: ")
    assert line.endswith(" They are kept as predictions.parquet.damaged: the run is done again.")
    assert not file.exists()
    assert file.with_name("predictions.parquet.damaged").exists()
    after = TrialStore(damaged).records
    remark = "Its predictions were damaged, kept as predictions.parquet.damaged: done again."
    assert after.pop(RUN) == before[RUN].model_copy(
        update={"status": Status.RUNNING, "rungs": before[RUN].rungs[:-1], "ended": None, "remarks": [remark]}
    )
    assert after == {name: record for name, record in before.items() if name != RUN}
    assert repair(damaged) == []


def test_what_was_written_without_checksums_is_read(released):
    assert repair(released) == []
    assert load_results(released.root).predictions("prompt").shape == (4, 8)


def test_a_run_without_predictions_is_not_done_again(released):
    (released.root / "final" / RUN / "predictions.parquet").unlink()
    assert repair(released) == []


def test_every_flipped_byte_is_told_or_changes_nothing(released, tmp_path):
    file = tmp_path / "flipped.parquet"
    scores = ["rougeL", "rouge1", "rouge2", "rougeLsum"]
    whole = load_results(released.root).predictions("prompt")
    predictions.write(whole, file)
    content, told = file.read_bytes(), 0
    for place in range(0, len(content), 11):
        file.write_bytes(content[:place] + bytes([content[place] ^ 1 << place % 8]) + content[place + 1 :])
        try:
            found = predictions.read(file, scores)
        except InputError:
            told += 1
        else:
            pd.testing.assert_frame_equal(found[whole.columns], whole)
    assert told > 200


@pytest.mark.ray
@pytest.mark.timeout(300)
def test_a_resume_does_the_run_again_and_no_other(tmp_path, cluster):
    task, root = plant_task(tmp_path / "task"), tmp_path / "run"
    settings = sweep(task, methods={"lora": {}}, search__trials_per_method=1)
    on = {"address": cluster, "trainable": Replay}
    before = run(settings, root, **on)
    file = root / "final/lora/seed-1/predictions.parquet"
    shutil.copyfile(root / "sweep.yaml", file)
    trained = len(steps(task))
    after = run(settings, root, **on)
    assert [step["trial"] for step in steps(task)[trained:]] == ["lora/seed-1"] * 3
    assert len(after.predictions("lora", 1)) == 1
    assert after.finals["score"].tolist() == before.finals["score"].tolist()
    assert file.with_name("predictions.parquet.damaged").is_file()
