"""A disk that is really full: a file system of 300 kB, which only the test's own process sees."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from search.cluster.failures import failure_kind

pytestmark = [pytest.mark.faults, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
MOUNT = 'mount -t tmpfs -o size=300k none "$1"'
SCRIPT = """
import sys
from pathlib import Path
import torch
from search.records.record import Record
from search.records.run_folder import RunFolder
from trainables.storage import checkpoint

root = Path(sys.argv[1])
checkpoint.write(root / "c", 64, {"a": torch.zeros(1000)}, {"steps": 8})
try:
    checkpoint.write(root / "c", 128, {"a": torch.zeros(200_000)}, {"steps": 16})
except Exception as error:
    print(type(error).__name__ + ":", error)
print(checkpoint.read(root / "c")[1]["steps"], sorted(p.name for p in (root / "c").iterdir()))

record = Record(
    id="lora/0001", method="lora", number=1, phase="search", split="validation", origin="sampled",
    hyperparameters={}, seed=1, started="now",
)
run_folder = RunFolder(root / "run")
run_folder.write_record(record)
(root / "rest").write_bytes(b"x" * 200_000)
try:
    (root / "more").write_bytes(b"x" * 100_000)
except OSError:
    pass
try:
    run_folder.write_record(record.model_copy(update={"error": "x" * 10_000}))
except OSError as error:
    print(type(error).__name__ + ":", error)
print(run_folder.read_records() == [record], sorted(p.name for p in (root / "run/trials/lora").iterdir()))
"""
STUDIES = """
import sys
from pathlib import Path
import optuna
from search.cluster.failures import left_no_space
from search.records.run_folder import RunFolder
from search.studies.storage import study_storage
from tests.search.journal import journal

root = Path(sys.argv[1])
def begun():
    storage = study_storage(None, RunFolder(root))
    return storage, optuna.create_study(storage=storage, study_name="lora")
def written():
    return len(optuna.load_study(storage=journal(root / "study.log"), study_name="lora").trials)

storage, study = begun()
(root / "rest").write_bytes(b"x" * 200_000)
told = 0
while told < 1000:
    study.add_trial(optuna.trial.create_trial(value=1.0, user_attrs={"trial": "x" * 1000}))
    told += 1
    try:
        storage.show()
    except OSError as error:
        print(left_no_space(error))
        break
print(written() == told - 1 > 10, sorted(file.name for file in root.iterdir()))
(root / "rest").unlink()
storage, study = begun()
for _ in range(told):
    study.add_trial(optuna.trial.create_trial(value=1.0))
storage.show()
print(written() == told)
"""


def can_mount() -> bool:
    if shutil.which("unshare") is None:
        return False
    probe = ["unshare", "--map-root-user", "--mount", "sh", "-c", MOUNT, "sh", "/mnt"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


mountable = pytest.mark.skipif(not can_mount(), reason="this user may not mount a file system of its own")


def told_by(script: str, folder: Path) -> list[str]:
    """The lines that a script prints whose folder is the full disk."""
    inside = ["sh", "-c", MOUNT + ' && exec "$2" -c "$3" "$1"', "sh", str(folder), sys.executable, script]
    command = ["unshare", "--map-root-user", "--mount", *inside]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.splitlines()


@mountable
def test_what_was_whole_stays_whole_and_the_error_is_known_for_what_it_is(tmp_path):
    checkpoint_error, checkpoints, record_error, records = told_by(SCRIPT, tmp_path)
    for error in (checkpoint_error, record_error):
        assert failure_kind(f"ray::train()\n{error}") == "full disk", error
    assert checkpoints == "8 ['000000000064']"
    assert records == "True ['.0001.json.previous', '0001.json']"


@mountable
def test_studies_that_were_written_stay_readable_and_are_made_anew_when_there_is_room(tmp_path):
    error_is_known, whole, anew = told_by(STUDIES, tmp_path)
    assert error_is_known == "True"
    assert whole == "True ['rest', 'study.log']"
    assert anew == "True"
