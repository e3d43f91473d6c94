"""A checkpoint comes back whole or not at all, and nothing in it is ever run."""

import ast
import json
from pathlib import Path

import pytest
import torch
from torch import Tensor

import trainables
from trainables.storage import checkpoint

PICKLES = {"pickle", "cPickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}
UNPICKLING = {"torch.load", "torch.jit.load", "np.load", "numpy.load", "pd.read_pickle", "pandas.read_pickle"}
TENSORS = {
    "float": torch.tensor([[1.5, -0.0], [float("inf"), float("nan")]]),
    "bfloat16": torch.tensor([1.5, 2.5], dtype=torch.bfloat16),
    "integer": torch.tensor([2**62, -1]),
    "bool": torch.tensor([True, False]),
    "uint8": torch.get_rng_state(),
    "scalar": torch.tensor(3.0),
    "empty": torch.zeros(0, 4),
    "a/b.c/transposed": torch.arange(6.0).reshape(2, 3).T,
}
STATE = {"steps": 3, "text": "é\n", "none": None, "nested": {"list": [1, 2.5, {"a": True}]}}


def is_same(one: Tensor, two: Tensor) -> bool:
    return one.dtype == two.dtype and torch.equal(
        one.contiguous().reshape(-1).view(torch.uint8), two.contiguous().reshape(-1).view(torch.uint8)
    )


@pytest.fixture
def two_generations(tmp_path: Path) -> Path:
    """A root with an older checkpoint beside the newest."""
    root = tmp_path / "root"
    checkpoint.write(root, 64, {"a": torch.arange(100)}, {"steps": 8})
    checkpoint.write(root, 128, {"a": torch.arange(100) + 1}, {"steps": 16})
    return root


def steps(root: Path) -> int | None:
    found = checkpoint.read(root)
    return None if found is None else found[1]["steps"]


def test_tensors_and_state_come_back_as_they_were(tmp_path: Path) -> None:
    checkpoint.write(tmp_path, 64, TENSORS, STATE)
    found = checkpoint.read(tmp_path)
    assert found is not None
    tensors, state = found
    assert tensors.keys() == TENSORS.keys()
    assert all(is_same(tensors[name], tensor) for name, tensor in TENSORS.items())
    assert all(tensors[name].shape == tensor.shape for name, tensor in TENSORS.items())
    assert {name: state[name] for name in STATE} == STATE


def test_parameters_are_written_without_their_graph(tmp_path: Path) -> None:
    parameter = torch.nn.Parameter(torch.ones(2))
    checkpoint.write(tmp_path, 64, {"a": parameter}, {})
    found = checkpoint.read(tmp_path)
    assert found is not None
    assert not found[0]["a"].requires_grad


def test_where_there_is_none(tmp_path: Path) -> None:
    assert checkpoint.read(tmp_path / "absent") is None
    assert checkpoint.read(tmp_path) is None


def kept(root: Path) -> list[int]:
    return sorted(int(path.name) for path in root.iterdir())


def test_the_newest_and_the_one_before_it_are_kept(tmp_path: Path) -> None:
    written: list[int] = []
    for examples in (9, 64, 1_000_000, 1_000_001):
        checkpoint.write(tmp_path, examples, {"a": torch.tensor(examples)}, {"steps": examples})
        written.append(examples)
        assert kept(tmp_path) == written[-2:]
        assert steps(tmp_path) == examples


def test_what_was_newer_and_damaged_goes_with_the_next(two_generations: Path) -> None:
    (two_generations / "000000000128" / "state.json").write_bytes(b"")
    checkpoint.write(two_generations, 96, {"a": torch.zeros(1)}, {"steps": 12})
    assert kept(two_generations) == [64, 96]
    assert steps(two_generations) == 12


def test_a_damaged_one_is_told(two_generations: Path) -> None:
    told: list[str] = []
    assert checkpoint.read(two_generations, told.append) is not None
    assert told == []
    for folder in two_generations.iterdir():
        (folder / "state.safetensors").write_bytes(b"")
    assert checkpoint.read(two_generations, told.append) is None
    assert told == [
        f"The checkpoint at {examples} examples was damaged and passed over." for examples in (128, 64)
    ]


def test_the_newest_is_read_where_an_older_one_is_left(two_generations: Path) -> None:
    assert len(list(two_generations.iterdir())) == 2
    assert steps(two_generations) == 16
    checkpoint.write(two_generations, 192, {"a": torch.zeros(1)}, {"steps": 24})
    assert kept(two_generations) == [128, 192]


def newest_files(root: Path) -> list[Path]:
    return sorted(max(root.iterdir()).iterdir())


@pytest.mark.parametrize("damage", ["truncated", "emptied", "removed"])
def test_of_a_broken_newest_the_older_is_read_or_none(two_generations: Path, damage: str) -> None:
    for file in newest_files(two_generations):
        content = file.read_bytes()
        if damage == "removed":
            file.unlink()
        else:
            file.write_bytes(content[: len(content) // 2] if damage == "truncated" else b"")
        assert steps(two_generations) == 8, file.name
        file.write_bytes(content)
    assert steps(two_generations) == 16
    for folder in two_generations.iterdir():
        next(iter(sorted(folder.iterdir()))).write_bytes(b"")
    assert steps(two_generations) is None


def test_of_a_newest_with_any_flipped_bit_the_older_is_read(two_generations: Path) -> None:
    for file in newest_files(two_generations):
        content = file.read_bytes()
        for place in range(0, len(content), max(1, len(content) // 40)):
            for bit in (0x01, 0x80):
                flipped = bytearray(content)
                flipped[place] ^= bit
                file.write_bytes(flipped)
                assert steps(two_generations) == 8, (file.name, place, bit)
        file.write_bytes(content)


def test_a_folder_that_is_no_checkpoint_is_passed_over(tmp_path: Path) -> None:
    checkpoint.write(tmp_path, 64, {"a": torch.zeros(1)}, {"steps": 8})
    (tmp_path / "000000000128").mkdir()
    assert steps(tmp_path) == 8


def test_a_write_that_fails_leaves_the_last_checkpoint(tmp_path: Path) -> None:
    checkpoint.write(tmp_path, 64, {"a": torch.zeros(1)}, {"steps": 8})
    with pytest.raises(TypeError):
        checkpoint.write(tmp_path, 128, {"a": torch.zeros(1)}, {"steps": {16}})
    assert [path.name for path in tmp_path.iterdir()] == ["000000000064"]
    assert steps(tmp_path) == 8


def test_the_state_is_plain_json(tmp_path: Path) -> None:
    checkpoint.write(tmp_path, 64, {"a": torch.zeros(1)}, STATE)
    state = json.loads((tmp_path / "000000000064" / "state.json").read_text())
    assert {name: state[name] for name in STATE} == STATE


@pytest.mark.parametrize("file", sorted(Path(trainables.__file__).parent.rglob("*.py")), ids=lambda p: p.stem)
def test_nothing_is_ever_unpickled(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert not {alias.name.partition(".")[0] for alias in node.names} & PICKLES
        if isinstance(node, ast.ImportFrom):
            assert (node.module or "").partition(".")[0] not in PICKLES
        if isinstance(node, ast.Attribute):
            assert ast.unparse(node) not in UNPICKLING
