"""A disk that is really full: a file system of 300 kB, which only the test's own process sees."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from search.mishaps import mishap

pytestmark = [pytest.mark.faults, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
MOUNT = 'mount -t tmpfs -o size=300k none "$1"'
SCRIPT = """
import sys
from pathlib import Path
import torch
from search.records import Record
from search.store import RunFolder
from trainables import checkpoint

root = Path(sys.argv[1])
checkpoint.write(root / "c", 64, {"a": torch.zeros(1000)}, {"steps": 8})
try:
    checkpoint.write(root / "c", 128, {"a": torch.zeros(200_000)}, {"steps": 16})
except Exception as error:
    print(type(error).__name__ + ":", error)
print(checkpoint.read(root / "c")[1]["steps"], sorted(p.name for p in (root / "c").iterdir()))

record = Record(
    id="lora/0001", method="lora", number=1, phase="qualifying", split="validation", origin="sampled",
    hyperparameters={}, seed=1, started="now",
)
store = RunFolder(root / "run")
store.write_record(record)
(root / "rest").write_bytes(b"x" * 200_000)
try:
    (root / "more").write_bytes(b"x" * 100_000)
except OSError:
    pass
try:
    store.write_record(record.model_copy(update={"error": "x" * 10_000}))
except OSError as error:
    print(type(error).__name__ + ":", error)
print(store.read_records() == [record], sorted(p.name for p in (root / "run/trials/lora").iterdir()))
"""


def can_mount() -> bool:
    if shutil.which("unshare") is None:
        return False
    probe = ["unshare", "--map-root-user", "--mount", "sh", "-c", MOUNT, "sh", "/mnt"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not can_mount(), reason="this user may not mount a file system of its own")
def test_what_was_whole_stays_whole_and_the_error_is_known_for_what_it_is(tmp_path):
    inside = ["sh", "-c", MOUNT + ' && exec "$2" -c "$3" "$1"', "sh", str(tmp_path), sys.executable, SCRIPT]
    command = ["unshare", "--map-root-user", "--mount", *inside]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    checkpoint_error, checkpoints, record_error, records = ran.stdout.splitlines()
    for error in (checkpoint_error, record_error):
        assert mishap(f"ray::train()\n{error}") == "full disk", error
    assert checkpoints == "8 ['000000000064']"
    assert records == "True ['.0001.json.previous', '0001.json']"
