"""Planted run folders: what a sweep leaves behind, with numbers that a test can compute by hand."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from search.config.sweep import Sweep
from search.console import app as cli
from search.records.record import Record, Stop
from search.records.run_folder import RunFolder
from trainables.rung_report import Rung
from trainables.storage.atomic import write_text

FORMATS = Path(__file__).parents[1] / "formats"
RELEASED = sorted(folder.name for folder in FORMATS.iterdir() if folder.is_dir())
RUNGS = (100, 300, 900)
START = "2026-11-23T08:00:00+00:00"
END = "2026-11-23T08:10:00+00:00"
BASE_PARAMETERS = 1_000_000
ADDED_PARAMETERS = {"lora": 10_000, "lora_attention": 4_000, "prompt_tuning": 2_000}

SWEEP = """
name: planted
task:
  model: some/t5
  data: some/dialogues
  source: dialogue
  target: [summary1, summary2]
  prompt: "Summarize.\\n\\n{dialogue}\\n\\nSummary: "
methods: {full: {}, lora: {}, prompt_tuning: {}}
search: {trials_per_method: 4}
final: {seeds: 3}
"""
PROVENANCE: dict[str, Any] = {
    "tuneoff": "0.1.0",
    "command": "tuneoff run planted.yaml --folder runs/planted",
    "started": START,
    "versions": {"torch": "2.13.0", "peft": "0.21.0"},
    "hardware": {"gpus": "none", "cpus": 2, "memory_gib": 8},
    "data": {
        "fingerprint": "0f1e2d3c",
        "counts": {"train": 300, "validation": 50, "test": 10},
        "notes": ["Validation was carved from train: 50 of 350 <documents>."],
    },
    "budget": {"examples": 900, "rungs": list(RUNGS)},
    "metric": {
        "name": "rougeL",
        "signatures": {"rouge": "rouge_score 0.1.2, with stemmer"},
        "references": "mean",
    },
}
DIALOGUES = [
    "#Person1#: Is the {thing} ready?\n#Person2#: Not yet. It will take {days} more days.",
    "#Person1#: Could you send me the {thing}?\n#Person2#: I will do so within {days} days, and I will also "
    "ask the other department whether they can spare somebody who has seen one before.\n#Person1#: Thanks.",
]
THINGS = ["report", "car", "contract", "oven", "passport", "visa", "menu", "lamp", "bridge", "poem"]


class Planted:
    """Writes the files of one run folder."""

    def __init__(self, root: Path) -> None:
        self.folder = RunFolder(root)
        self.root = self.folder.root

    def sweep(self, text: str = SWEEP) -> None:
        write_text(self.folder.sweep_file, Sweep.from_yaml(text).to_yaml())

    def provenance(self, content: dict[str, Any] = PROVENANCE) -> None:
        self.folder.write_json(self.folder.provenance_file, content)

    def trial(self, method: str, number: int, scores: list[float | None], **changes: Any) -> Record:
        """A trial of the search with one score a rung; completed, the first one the default."""
        known = Record(
            id=f"{method}/{number:04}",
            method=method,
            number=number,
            phase="search",
            split="validation",
            origin="sampled" if number else "default",
            hyperparameters={"learning_rate": 0.00031 * (number + 1), "batch_size": 16}
            | ({"rank": 8, "targets": "attention"} if method == "lora" else {}),
            seed=number,
            status="completed",
            rungs=[_rung(method, place, score) for place, score in enumerate(scores)],
            started=START,
            ended=END,
        )
        record = Record.model_validate({**dict(known), **changes})
        self.folder.write_record(record)
        return record

    def final(self, method: str, seed: int, score: float | None, **changes: Any) -> Record:
        """A run of the final; completed."""
        known = Record(
            id=f"{method}/seed-{seed}",
            method=method,
            number=seed,
            phase="final",
            split="test",
            origin="baseline" if method == "baseline" else "winner",
            of_trial=None if method == "baseline" else f"{method}/0001",
            hyperparameters={} if method == "baseline" else {"learning_rate": 0.0005},
            seed=seed,
            status="completed",
            rungs=[_final_rung(method, seed, score)],
            started=START,
            ended=END,
        )
        record = Record.model_validate({**dict(known), **changes})
        self.folder.write_record(record)
        return record

    def predictions(self, record: Record, rows: list[dict[str, Any]]) -> None:
        file = self.folder.predictions_file(record)
        file.parent.mkdir(parents=True, exist_ok=True)
        pd.DataFrame(rows).to_parquet(file)

    def adapter(self, record: Record, files: dict[str, str]) -> None:
        for name, content in files.items():
            write_text(self.folder.adapter(record) / name, content)


def _scores(score: float | None) -> dict[str, float]:
    if score is None:
        return {}
    return {"rouge1": score + 8, "rouge2": score / 2, "rougeL": score, "rougeLsum": score + 4}


def _parameters(method: str) -> dict[str, float]:
    added = ADDED_PARAMETERS.get(method, 0)
    trainable = {"full": BASE_PARAMETERS, "baseline": 0}.get(method, added)
    total = BASE_PARAMETERS + added
    return {
        "trainable_parameters": trainable,
        "total_parameters": total,
        "trainable_percent": 100 * trainable / total,
    }


def _rung(method: str, place: int, score: float | None) -> Rung:
    """Each rung costs 10 s of training and 1 s of evaluation."""
    spent = {
        "startup_seconds": 0.5,
        "train_seconds": 10.0 * (place + 1),
        "evaluation_seconds": 1.0 * (place + 1),
    }
    return Rung(
        rung=place,
        examples=RUNGS[place],
        score=score,
        scores=_scores(score),
        loss=2.5 - place,
        cost=_parameters(method) | spent,
    )


def _final_rung(method: str, seed: int, score: float | None) -> Rung:
    parameters = _parameters(method)
    spent = {
        "train_seconds": 0.0 if method == "baseline" else 100.0 + seed,
        "evaluation_seconds": 5.0,
        "startup_seconds": 2.0,
        "peak_memory_bytes": (200 + seed) * 2**20,
        "adapter_bytes": None if method == "baseline" else 4 * parameters["trainable_parameters"],
    }
    return Rung(
        rung=0,
        examples=RUNGS[-1],
        score=score,
        scores={name: value for name, value in _scores(score).items() if name in ("rouge1", "rougeL")},
        loss=1.5,
        cost=parameters | spent,
    )


def _document(place: int, method: str, score: float) -> dict[str, Any]:
    thing = THINGS[place]
    source = DIALOGUES[place % 2].format(thing=thing, days=place + 2)
    return {
        "id": f"test_{place}",
        "source": source,
        "references": [f"The {thing} is late.", f"#Person2# needs {place + 2} days for the {thing}."],
        "prediction": source if method == "baseline" else f"{method}: the {thing} takes {place + 2} days.",
        "rouge1": score + 1,
        "rougeL": score,
    }


def _plant_trials(planted: Planted) -> None:
    planted.trial("full", 0, [20, 26, 30])
    planted.trial("full", 1, [22, 28, 33])
    planted.trial("full", 2, [15], status="stopped", stop=Stop(rung=0, value=15, cut_off=20))
    planted.trial("full", 3, [None], status="diverged", error="the training loss was nan after 40 examples")
    planted.trial("lora", 0, [21, 27, 31])
    planted.trial("lora", 1, [25, 35, 34.5])
    planted.trial("lora", 2, [20, 24], status="stopped", stop=Stop(rung=1, value=24, cut_off=27))
    planted.trial("lora", 3, [24, 29, 34.5])
    planted.trial("prompt_tuning", 0, [5], status="stopped", stop=Stop(rung=0, value=5, cut_off=7))
    planted.trial("prompt_tuning", 1, [8, 14, 19])
    traceback = 'Traceback:\n  File "x.py", line 1\nRuntimeError: out of memory | <b>8 GiB</b>\n'
    planted.trial("prompt_tuning", 2, [7], status="failed", failures=2, error=traceback)
    planted.trial("prompt_tuning", 3, [7, 12, 18])


def _plant_finals(planted: Planted) -> None:
    """Document `test_<i>` scores 10 i on average over the methods, the best method 5 points more."""
    finals = {
        "full": (32, 33, 34),
        "lora": (33.5, 34.5, 35.5),
        "prompt_tuning": (22, 22, 22),
        "baseline": (20,),
    }
    shifts = {"full": 0, "lora": 5, "prompt_tuning": -5, "baseline": -9}
    for method, scores in finals.items():
        for seed, score in enumerate(scores):
            record = planted.final(method, seed, score)
            rows = [
                _document(place, method, 10 * place + shifts[method])
                for place in (3, 1, 4, 0, 5, 9, 2, 6, 8, 7)
            ]
            planted.predictions(record, rows)


def plant_copies(planted: Planted, **scores: float) -> None:
    """Copies beside the untrained model: of document `test_<i>` each scores 10 i and so much more."""
    (baseline,) = [record for record in planted.folder.read_records() if record.method == "baseline"]
    rows = [
        {"copy": name, "units": "turns", "length": 2 if name == "lead" else 1, "id": f"test_{place}"}
        | {"prediction": "a", "rouge1": 10.0 * place, "rougeL": 10.0 * place + scores.get(name, 0.0)}
        for name in ("lead", "tail", "longest")
        for place in (9, 0, 1, 2, 3, 4, 5, 6, 7, 8)
    ]
    pd.DataFrame(rows).to_parquet(planted.folder.output(baseline) / "copies.parquet")


@pytest.fixture
def one_seed(finished: Planted) -> Planted:
    """The same sweep with a single seed a method."""
    finished.sweep(SWEEP.replace("seeds: 3", "seeds: 1"))
    for record in finished.folder.read_records():
        if record.phase == "final" and record.seed:
            finished.folder.record_file(record).unlink()
    return finished


def plant(root: Path) -> Planted:
    """Begin a run folder: a sweep of three methods and its provenance, and no records."""
    planted = Planted(root)
    planted.sweep()
    planted.provenance()
    return planted


def plant_finished(root: Path) -> Planted:
    """Make a run folder of a sweep that has ended."""
    planted = plant(root)
    _plant_trials(planted)
    _plant_finals(planted)
    return planted


@pytest.fixture
def bare(tmp_path: Path) -> Planted:
    return plant(tmp_path / "planted")


@pytest.fixture
def searched(bare: Planted) -> Planted:
    """A run folder whose search has ended, before the final."""
    _plant_trials(bare)
    return bare


@pytest.fixture
def finished(searched: Planted) -> Planted:
    """A run folder of a sweep that has ended."""
    _plant_finals(searched)
    return searched


@pytest.fixture
def tuneoff(monkeypatch, capsys, tmp_path) -> Callable[..., tuple[int, str, str]]:
    """`tuneoff("check", "sweep.yaml")` gives the exit code, the output and the error output."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["tuneoff", *arguments])
        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = end.code or 0
        printed = capsys.readouterr()
        assert "Traceback" not in printed.out + printed.err
        return code, printed.out, printed.err

    return call


@pytest.fixture
def released(tmp_path: Path, request: pytest.FixtureRequest) -> RunFolder:
    """A run folder of the latest released format, or of that which a test is given, beside its data."""
    shutil.copytree(FORMATS / getattr(request, "param", RELEASED[-1]), tmp_path, dirs_exist_ok=True)
    return RunFolder(tmp_path / "run")


def tree(root: Path) -> dict[str, tuple[int, bytes]]:
    """All that lies there: when it was changed last, and its content."""
    return {
        str(path.relative_to(root)): (
            path.lstat().st_mtime_ns,
            path.read_bytes() if path.is_file() else b"",
        )
        for path in [root, *root.rglob("*")]
    }
