"""`tuneoff verify` finds whatever was done to a file of a run folder, and changes none."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import torch

from search.records import Record, load_results, sweep_of, verify
from tests.search.conftest import Planted, plant_copies, tree
from trainables.errors import InputError
from trainables.storage import checkpoint, predictions
from trainables.storage.atomic import new_file
from trainables.storage.sums import seal


@pytest.fixture
def whole(finished: Planted) -> Planted:
    """A finished run folder with all that a real one has."""
    spaces = sweep_of(finished.root).spaces()
    for trial in (record for record in load_results(finished.root).records if record.phase == "search"):
        point = dict(spaces[trial.method].default)
        finished.folder.write_record(trial.model_copy(update={"hyperparameters": point}))
    for record in load_results(finished.root).records:
        if record.split == "test":
            with new_file(finished.folder.predictions_file(record)) as file:
                predictions.write(rows(record), file)
            if record.method == "baseline":
                plant_copies(finished)
            else:
                finished.adapter(record, {"adapter_model.safetensors": record.id})
                seal(finished.folder.adapter(record))
        elif record.id == "lora/0001":
            checkpoint.write(finished.folder.checkpoints(record), 64, {"a": torch.arange(100)}, {"steps": 8})
    assert list(verify(finished.root)) == []
    return finished


def rows(record: Record) -> pd.DataFrame:
    scores = {name: [1.0, 2.0] for name in record.rungs[-1].scores}
    texts = {"source": ["a", "b"], "references": [["a"], ["b"]], "prediction": ["a", "b"]}
    return pd.DataFrame({"id": ["test-0", "test-1"], **texts, **scores})


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


DAMAGE: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "a record cut off": (
        "trials/lora/0001.json",
        lambda file: file.write_text("{"),
        "0001.json cannot be read",
    ),
    "a record of another": (
        "trials/lora/0002.json",
        lambda file: shutil.copyfile(file.with_name("0001.json"), file),
        "holds the record of lora/0001",
    ),
    "hyperparameters of no trial": (
        "trials/lora/0001.json",
        lambda file: file.write_text(
            re.sub(r'"learning_rate": [^,}\n]+', '"learning_rate": 5.0', file.read_text())
        ),
        "lora/0001: its hyperparameters are of no trial of this sweep: learning_rate must lie within",
    ),
    "a record gone": ("trials/lora/0000.json", Path.unlink, "lora: the records of its trials 0 are missing"),
    "predictions cut off": (
        "final/lora/seed-0/predictions.parquet",
        lambda file: file.write_bytes(b"PAR1"),
        "are damaged",
    ),
    "predictions gone": ("final/lora/seed-0/predictions.parquet", Path.unlink, "its predictions are gone"),
    "copies cut off": (
        "final/baseline/seed-0/copies.parquet",
        lambda file: file.write_bytes(b"PAR1"),
        "are damaged",
    ),
    "weights flipped": (
        "final/lora/seed-0/adapter/adapter_model.safetensors",
        flip,
        "lora/seed-0: its weights, .* differ from their checksums",
    ),
    "weights gone": ("final/lora/seed-0/adapter", shutil.rmtree, "lora/seed-0: its weights, .* are gone"),
    "a file among the weights": (
        "final/lora/seed-0/adapter/added.bin",
        lambda file: file.write_text("x"),
        "differ from their checksums",
    ),
    "a link among the weights": (
        "final/lora/seed-0/adapter/added.bin",
        lambda file: file.symlink_to("/etc/hostname"),
        "added.bin is a link",
    ),
    "a checkpoint flipped": (
        f"checkpoints/search/lora/0001/{64:012d}/state.safetensors",
        flip,
        "lora/0001: its checkpoint, .* differ from their checksums",
    ),
    "a list for provenance": (
        "provenance.json",
        lambda file: file.write_text("[]"),
        "provenance.json cannot be read .it holds no JSON object",
    ),
    "garbage for checks": (
        "preflight.json",
        lambda file: file.write_text("{"),
        "preflight.json cannot be read",
    ),
    "bytes for a warm start": (
        "warm_start.json",
        lambda file: file.write_bytes(b"\xff"),
        "warm_start.json cannot be read",
    ),
}


@pytest.mark.parametrize(("name", "damage", "told"), DAMAGE.values(), ids=DAMAGE)
def test_each_damage_is_found_and_nothing_is_changed(
    name: str,
    damage: Callable[[Path], object],
    told: str,
    whole: Planted,
    tuneoff: Callable[..., tuple[int, str, str]],
) -> None:
    damage(Path(whole.root) / name)
    before = tree(Path(whole.root))
    code, out, _ = tuneoff("verify", str(whole.root))
    assert code == 1
    finding, summary = out.splitlines()
    assert re.search(told, finding)
    assert summary == "1 finding."
    assert tree(Path(whole.root)) == before


IN_CONTENTS = {
    "predictions cut off", "copies cut off", "weights flipped", "a file among the weights",
    "a link among the weights", "a checkpoint flipped",
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "damage", "is_cheap"),
    [(name, damage, key not in IN_CONTENTS) for key, (name, damage, _) in DAMAGE.items()],
    ids=DAMAGE,
)
def test_without_contents_the_same_is_found_in_all_else(
    name: str, damage: Callable[[Path], object], is_cheap: bool, whole: Planted
) -> None:
    damage(Path(whole.root) / name)
    assert list(verify(whole.root, contents=False)) == (list(verify(whole.root)) if is_cheap else [])


def test_a_whole_folder(whole: Planted, tuneoff: Callable[..., tuple[int, str, str]]) -> None:
    assert tuneoff("verify", str(whole.root)) == (0, "All files are whole.\n", "")


def test_a_sweep_that_is_no_text_is_told(whole: Planted) -> None:
    whole.folder.sweep_file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=r"sweep\.yaml: does not parse as YAML"):
        list(verify(whole.root))


def test_a_folder_of_an_older_format_is_whole(released) -> None:
    weights = [f"{run}/seed-0: its weights" for run in ("ia3", "prompt")]  # which are not kept with the tests
    assert [finding.partition(",")[0] for finding in verify(released.root)][:2] == weights
    assert all(finding.endswith("are gone.") for finding in verify(released.root))
