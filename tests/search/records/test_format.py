"""Run folders of other versions: a newer format is refused, a released one stays readable, keys are kept."""

import json
import shutil
from pathlib import Path

import pytest
import ray

from search.config.format import FORMAT
from search.config.sweep import Sweep, SweepError, load_sweep
from search.records.preflight_results import PreflightResults
from search.records.provenance import provenance
from search.records.repair import repair
from search.records.results import load_results
from search.records.run_folder import RunFolder
from search.records.trial_store import TrialStore
from tests.search.conftest import RELEASED, tree
from trainables.data import Data
from trainables.errors import InputError

TRIAL, FINAL = "trials/ia3/0001.json", "final/prompt/seed-0/record.json"
FILES = ("sweep.yaml", "provenance.json", "preflight.json", TRIAL, FINAL)
COMMANDS = {
    "resume": ["resume", "run"],
    "run": ["run", "run/sweep.yaml", "--folder", "run"],
    "report": ["report", "run"],
    "compare": ["compare", "run", "run"],
    "export": ["export", "run", "--method", "prompt", "--to", "adapter"],
}


def add(file: Path, **keys: object) -> None:
    if file.suffix == ".yaml":
        file.write_text(file.read_text() + "".join(f"{key}: {value}\n" for key, value in keys.items()))
    else:
        file.write_text(json.dumps(json.loads(file.read_text()) | keys))


@pytest.mark.parametrize("released", RELEASED, indirect=True)
def test_of_a_released_folder_nothing_is_run_again_and_its_report_is_written(released, tuneoff):
    before = {file: file.read_bytes() for file in released.record_files()}
    code, out, err = tuneoff("resume", "run")
    assert code == 0
    assert all(
        "its weights" in finding for finding in err.splitlines()
    )  # which these folders were kept without
    assert "scores highest on test" in out
    assert {file: file.read_bytes() for file in released.record_files()} == before
    assert not ray.is_initialized()
    assert (released.report / "report.html").is_file()
    results = load_results(released.root)
    assert (results.finals["status"] == "completed").all()
    assert len(results.predictions("prompt")) == 4


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("file", FILES)
def test_a_newer_folder_is_refused_and_nothing_in_it_is_touched(released, tuneoff, tmp_path, file, command):
    add(released.root / file, format=FORMAT + 1, unheard="of")
    before = tree(tmp_path)
    code, _, err = tuneoff(*COMMANDS[command])
    assert code == 2
    assert f"{file} is of format {FORMAT + 1}" in err
    assert "Install" in err
    assert tree(tmp_path) == before


def test_of_a_damaged_record_the_version_before_may_be_newer_too(released, tuneoff, tmp_path):
    file = released.root / TRIAL
    shutil.copyfile(file, released.previous_version(file))
    add(Path(released.previous_version(file)), format=FORMAT + 1)
    file.write_bytes(b"")
    before = tree(tmp_path)
    code, _, err = tuneoff("resume", "run")
    assert code == 2
    assert f"0001.json.previous is of format {FORMAT + 1}" in err
    assert tree(tmp_path) == before


@pytest.mark.parametrize("told", [0, -1, "2", 1.5, None, [2]])
def test_what_is_no_number_of_a_format_is_damage(released, told):
    add(released.root / TRIAL, format=told)
    with pytest.raises(InputError, match="cannot be read"):
        released.read_records()
    (line,) = repair(released)
    assert "was damaged" in line


def test_unknown_keys_of_the_same_format_are_no_damage(released, tuneoff):
    for file in (TRIAL, FINAL):
        add(released.root / file, since="1.3")
    before = {file: file.read_bytes() for file in released.record_files()}
    assert tuneoff("resume", "run")[0] == 0
    assert {file: file.read_bytes() for file in released.record_files()} == before


def test_unknown_keys_are_written_back_with_the_record(released):
    file = released.root / TRIAL
    content = json.loads(file.read_text())
    content["since"] = {"version": [1, 3]}
    content["stop"]["because"] = "slow"
    content["rungs"][0]["watts"] = 7.5
    file.write_text(json.dumps(content))
    TrialStore(released).remark("ia3/0001", "It rained.")
    rungs = [rung | {"accelerator": None, "precision": None} for rung in content["rungs"]]
    new = {"device_failures": 0, "whole_gpu": False}
    content["stop"] |= dict.fromkeys(("rank", "rank_by_loss", "of", "go_on"))
    now = new | {"format": FORMAT, "phase": "search", "remarks": ["It rained."], "rungs": rungs}
    assert json.loads(file.read_text()) == content | now


def test_unknown_keys_are_written_back_with_the_preflight(released):
    file = released.preflight_file
    content = json.loads(file.read_text())
    content["since"] = "1.3"
    content["methods"]["ia3"]["asked"] = "twice"
    content["methods"]["ia3"]["gates"][0]["unit"] = "tensors"
    file.write_text(json.dumps(content))
    known = released.read_preflight().model_copy(update={"is_whole": False})
    for findings in content["methods"].values():
        findings["checks"] = findings.pop("gates")
    assert known.model_dump() == content | {"format": FORMAT, "is_whole": False}


def test_a_setting_that_is_unknown_is_refused(released):
    add(released.root / "sweep.yaml", since=1.3)
    with pytest.raises(SweepError, match="since: unknown key"):
        load_results(released.root)


def test_every_file_that_is_read_back_says_its_format(released):
    sweep = Sweep.from_yaml(released.sweep_file.read_text())
    assert sweep.to_yaml().endswith(f"\nformat: {FORMAT}\n")
    assert provenance(sweep, Data([], [], []), [1])["format"] == FORMAT
    assert PreflightResults().model_dump()["format"] == FORMAT
    assert all(record.format == FORMAT for record in released.read_records())


def test_a_sweep_file_with_an_old_key_is_read_and_the_new_key_is_told(tmp_path, caplog):
    file = tmp_path / "old.yaml"
    file.write_text(Path("search/sweeps/quickstart.yaml").read_text().replace("\nsearch:", "\nqualifying:"))
    sweep = load_sweep(file, ["qualifying.trials_per_method=7"])
    assert sweep.search.trials_per_method == 7
    assert [record.getMessage() for record in caplog.records] == [
        f"{file}: `qualifying` is called `search` now."
    ]


def test_a_nested_key_of_an_old_sweep_file_is_read_and_the_new_key_is_told(tmp_path, caplog):
    file = tmp_path / "old.yaml"
    file.write_text(
        Path("search/sweeps/quickstart.yaml").read_text().replace("\ntask:", "\ntask:\n  kind: generation")
    )
    sweep = load_sweep(file, ["task.metric=chrf"])
    assert sweep.task.type == "generation"
    assert [record.getMessage() for record in caplog.records] == [
        f"{file}: `task.kind` is called `task.type` now."
    ]
    assert load_sweep(file, ["task.kind=translation"]).task.type == "translation"


def test_the_old_key_for_default_configurations_is_read(released):
    assert load_results(released.root).sweep.final.retrain_defaults
    assert load_sweep("quickstart", ["final.untuned=true"]).final.retrain_defaults


@pytest.mark.parametrize(("override", "message"), [("task.kind=essay", "task.type: must be one of")])
def test_an_old_key_on_the_command_line_is_judged_under_its_new_name(override, message):
    with pytest.raises(SweepError, match=message):
        load_sweep("quickstart", [override])


@pytest.mark.parametrize("task", ["", "task: 3\n", "task: [kind]\n", "task: {kind: 3, type: 4}\n"])
def test_an_old_nested_key_in_a_broken_file_is_told_with_what_else_is_wrong(tmp_path, task):
    file = tmp_path / "broken.yaml"
    file.write_text(f"name: broken\n{task}methods: {{full: {{}}}}\n")
    with pytest.raises(SweepError):
        load_sweep(file)


def test_a_sweep_file_with_both_the_old_and_the_new_key_is_refused(tmp_path):
    file = tmp_path / "both.yaml"
    file.write_text(Path("search/sweeps/quickstart.yaml").read_text() + "\nqualifying: {audit: 1}\n")
    with pytest.raises(SweepError, match="qualifying: unknown key"):
        load_sweep(file)


def test_a_trial_of_an_older_folder_goes_on_from_its_checkpoint(released):
    trial = released.read_records()[-1].model_copy(update={"id": "ia3/0009", "phase": "search"})
    (released.root / "checkpoints" / "qualifying" / trial.id).mkdir(parents=True)
    assert RunFolder(released.root).checkpoints(trial).is_dir()
