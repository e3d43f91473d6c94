"""What comes from outside is data: at each door a file is planted that would run code, and it never does."""

import ast
import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from safetensors import SafetensorError
from transformers import AutoModelForSeq2SeqLM

from search.config.sweep import Sweep, SweepError, load_sweep
from search.records.results import load_results
from search.report.exporting.folder import export
from tests.tiny import PROMPT
from trainables.data import load
from trainables.errors import InputError
from trainables.model import LoadedModel
from trainables.storage import checkpoint, sums
from trainables.task import Task

ROOT = Path(__file__).parents[2]
SWEEP = """
name: planted
task:
  model: some/t5
  data: some/dialogues
  source: dialogue
  target: summary
  prompt: "{dialogue}"
methods: {full: {}}
"""


class Bomb:
    """Unpickled it leaves a file at `mark`."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (self.mark,)


@pytest.fixture(scope="session")
def tiny(model_folder: Callable[..., str]) -> str:
    return model_folder("t5", 0.0, False)


def task_of(model: str | Path, data: str | dict[str, str]) -> Task:
    return Task(model=str(model), data=data, source="dialogue", target="summary", prompt=PROMPT)


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    """The file that planted code leaves; that the bombs are live is seen in a copy of it."""
    mark = tmp_path / "exploded"
    pickle.loads(pickle.dumps(Bomb(mark)))
    mark.unlink()
    return mark


def test_yaml_makes_no_objects(tmp_path: Path, mark: Path) -> None:
    bomb = f"!!python/object/apply:pathlib.Path.touch [!!python/object/apply:pathlib.Path [{mark}]]"
    file = tmp_path / "sweep.yaml"
    file.write_text(f"{SWEEP}seed: {bomb}\n")
    with pytest.raises(SweepError, match="could not determine a constructor"):
        load_sweep(file)
    file.write_text(SWEEP)
    with pytest.raises(SweepError, match="could not determine a constructor"):
        load_sweep(file, [f"seed={bomb}"])
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "sweep.yaml").write_text(f"{SWEEP}seed: {bomb}\n")
    with pytest.raises(SweepError, match="could not determine a constructor"):
        load_results(folder)
    assert not mark.exists()


def test_a_checkpoint_is_not_unpickled(tmp_path: Path, mark: Path) -> None:
    checkpoint.write(tmp_path / "trial", 8, {"a": torch.ones(1)}, {})
    folder = next((tmp_path / "trial").iterdir())
    torch.save(Bomb(mark), folder / checkpoint.TENSORS)
    sums.seal(folder)  # a forger knows how to count
    with pytest.raises(SafetensorError):
        checkpoint.read(tmp_path / "trial")
    assert not mark.exists()


def test_a_pickled_model_is_not_unpickled(
    tiny: str, data_files: dict[str, str], tmp_path: Path, mark: Path
) -> None:
    folder = Path(shutil.copytree(tiny, tmp_path / "model"))
    (folder / "model.safetensors").unlink()
    torch.save(Bomb(mark), folder / "pytorch_model.bin")
    with pytest.raises(Exception, match=r"(?i)weights.only|pickle|safetensors"):
        LoadedModel(task_of(folder, data_files))
    assert not mark.exists()


def test_the_code_of_a_model_is_not_run_unless_the_sweep_trusts_it(
    tiny: str, data_files: dict[str, str], tmp_path: Path, mark: Path
) -> None:
    folder = Path(shutil.copytree(tiny, tmp_path / "model"))
    (folder / "evil.py").write_text(f"open({str(mark)!r}, 'w')\nclass Evil: pass\n")
    config = json.loads((folder / "config.json").read_text())
    classes = dict.fromkeys(("AutoConfig", "AutoModelForSeq2SeqLM", "AutoTokenizer"), "evil.Evil")
    (folder / "config.json").write_text(json.dumps({**config, "model_type": "evil", "auto_map": classes}))
    with pytest.raises(ValueError, match="trust_remote_code"):
        LoadedModel(task_of(folder, data_files))
    assert not mark.exists()


def test_the_script_of_a_data_set_is_not_run(tiny: str, tmp_path: Path, mark: Path) -> None:
    folder = tmp_path / "dialogues"
    folder.mkdir()
    (folder / "dialogues.py").write_text(f"open({str(mark)!r}, 'w')\n")
    with pytest.raises(InputError, match="cannot be loaded"):
        load(task_of(tiny, str(folder)), 0)
    assert not mark.exists()


def test_a_planted_adapter_is_copied_at_most(finished, tmp_path: Path, mark: Path, tiny: str) -> None:
    record = next(r for r in finished.folder.read_records() if r.id == "lora/seed-0")
    finished.adapter(record, {"adapter_config.json": json.dumps({"peft_type": "LORA", "r": 1})})
    torch.save(Bomb(mark), finished.folder.adapter(record) / "adapter_model.bin")
    copy = export(finished.root, "lora", tmp_path / "copy")
    model = AutoModelForSeq2SeqLM.from_pretrained(tiny)
    with pytest.raises(Exception, match=r"(?i)weights.only|pickle|target"):
        PeftModel.from_pretrained(model, copy)
    assert not mark.exists()


@pytest.mark.parametrize("name", ["adapter_model.safetensors", "deep/link"])
def test_an_export_copies_nothing_that_an_adapter_links_to(finished, tmp_path: Path, name: str) -> None:
    record = next(r for r in finished.folder.read_records() if r.id == "lora/seed-0")
    finished.adapter(record, {"adapter_config.json": "{}"})
    (tmp_path / "id_rsa").write_text("private")
    link = finished.folder.adapter(record) / name
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(tmp_path / "id_rsa")
    with pytest.raises(InputError, match=f"{name} is a link"):
        export(finished.root, "lora", tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_an_adapter_that_is_a_link_is_not_exported(finished, tmp_path: Path) -> None:
    record = next(r for r in finished.folder.read_records() if r.id == "lora/seed-0")
    (tmp_path / "private").mkdir()
    (tmp_path / "private/id_rsa").write_text("private")
    finished.folder.adapter(record).symlink_to(tmp_path / "private")
    with pytest.raises(InputError, match="adapter is a link"):
        export(finished.root, "lora", tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize("name", ["sweep.yaml", "provenance.json", "trials/lora/0001.json", "predictions"])
def test_a_file_of_a_run_folder_is_not_read_through_a_link(finished, tmp_path: Path, name: str) -> None:
    final = next(r for r in finished.folder.read_records() if r.id == "lora/seed-0")
    file = finished.folder.predictions_file(final) if name == "predictions" else finished.root / name
    file.rename(tmp_path / "elsewhere")
    file.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match=f"{file.name} is a link"):
        load_results(finished.root).predictions("lora")


@pytest.mark.parametrize(
    "change", [{"id": "../../../evil"}, {"id": "lora/../../evil"}, {"of_trial": "/etc/evil"}]
)
def test_a_record_does_not_lead_out_of_its_folder(finished, change: dict[str, str]) -> None:
    record = finished.folder.read_records()[0]
    finished.folder.record_file(record).write_text(json.dumps(json.loads(record.model_dump_json()) | change))
    with pytest.raises(InputError, match="cannot be read"):
        finished.folder.read_records()


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/b", "..", ".hidden", "", "a\nb"])
def test_a_name_does_not_lead_out_of_its_folder(name: str) -> None:
    for key in ("name: planted", "full: {}"):
        old = key.split(":")[0] if key.startswith("full") else "planted"
        text = SWEEP.replace(key, key.replace(old, json.dumps(name)))
        with pytest.raises(SweepError):
            Sweep.from_yaml(text)


def _names(tree: ast.AST) -> set[str]:
    """Every module imported and every function called, by its dotted name."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
        if isinstance(node, ast.Call):
            names.add(ast.unparse(node.func))
    return names


FORBIDDEN = {
    "pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal",
    "torch.load", "torch.jit.load", "np.load", "numpy.load", "pd.read_pickle", "pandas.read_pickle",
    "yaml.load", "yaml.full_load", "yaml.unsafe_load", "eval", "exec", "os.system",
}  # fmt: skip


@pytest.mark.parametrize("package", ["search", "trainables", "spaces"])
def test_nothing_calls_what_runs_data(package: str) -> None:
    for file in sorted((ROOT / package).rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        assert not _names(tree) & FORBIDDEN, file
        for node in ast.walk(tree):
            if isinstance(node, ast.keyword) and node.arg in ("trust_remote_code", "shell", "allow_pickle"):
                assert not (isinstance(node.value, ast.Constant) and node.value.value), file
