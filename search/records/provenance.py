"""Record what a reader must know to judge a run and to repeat it."""

import logging
import os
import platform
import shlex
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

from search.config import FORMAT, Sweep
from search.records.record import now
from search.records.run_folder import RunFolder
from trainables import metrics
from trainables.data import Data
from trainables.task import Task

PACKAGES = (
    "tuneoff", "torch", "transformers", "peft", "ray", "optuna", "datasets", "evaluate", "rouge_score",
    "sacrebleu", "tokenizers", "safetensors", "numpy", "pandas",
)  # fmt: skip

logger = logging.getLogger(__name__)


def provenance(sweep: Sweep, data: Data, rungs: list[int]) -> dict[str, Any]:
    """Describe the first start of a sweep, its data and its budget, for the report."""
    return {
        "format": FORMAT,
        **this_start(),
        "data": _data(sweep.task, data),
        "budget": {"examples": rungs[-1], "rungs": rungs},
        "metric": _metric(sweep.task, data),
    }


def _data(task: Task, data: Data) -> dict[str, Any]:
    labels = {"labels": list(data.labels)} if task.picks_labels else {}
    return {"fingerprint": data.fingerprint, "counts": data.counts, "notes": data.notes, **labels}


def describe_import(folder: RunFolder, sweep: Sweep, data: Data, entry: dict[str, Any]) -> None:
    """Note an import: the files, by their names and content, and the methods that came with them.

    Args:
        folder: of the import alone, or of a sweep that has a provenance of its own.
        sweep: the folder's.
        data: the imported examples, as the test split.
        entry: what is noted; with it when, by which versions and by which command.
    """
    known, start = folder.read_provenance(), this_start()
    entry = entry | {name: start[name] for name in ("tuneoff", "command", "started")}
    if not known:
        known = {"format": FORMAT, **start, "metric": _metric(sweep.task, data)}
    if sweep.imported:
        known["data"] = {
            "fingerprint": data.fingerprint,
            "counts": {"test": len(data.test)},
            "notes": list(dict.fromkeys([*known.get("data", {}).get("notes", []), *data.notes])),
        }
    _write(folder, {**known, "imported": [*known.get("imported", []), entry]})


def _metric(task: Task, data: Data) -> dict[str, Any]:
    """Describe what can move the scores: how each metric is computed, how several references count."""
    counts = {len(example.references) for example in data.test}
    references = counts.pop() if len(counts) == 1 else None
    return {
        "name": task.metric,
        "signatures": {
            metric: metrics.signature(metric, task.rules(data.labels), references)
            for metric in task.scored_by
        },
        "references": task.references,
    }


def this_start() -> dict[str, Any]:
    """Describe this process: versions, command and hardware. A sweep may be resumed elsewhere."""
    return {
        "tuneoff": _version("tuneoff"),
        "commit": _commit(),
        "command": _command(),
        "started": now(),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in PACKAGES},
        "hardware": {
            "machine": f"{platform.system()} {platform.machine()}",
            "cpus": os.cpu_count(),
            "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        },
    }


def note_resumption(folder: RunFolder) -> None:
    """Note that the sweep is resumed, with which versions and on what."""
    known = folder.read_provenance()
    _write(folder, {**known, "resumed": [*known.get("resumed", []), this_start()]})


def note_placement(folder: RunFolder, **noted: Any) -> None:
    """Note `gpus_per_trial` of the search; the nodes' `gpus`, and their `differences` from this machine."""
    known = folder.read_provenance()
    _write(folder, {**known, "placement": known.get("placement", {}) | noted})


def note_joined(folder: RunFolder, difference: str) -> None:
    """Log and note a difference of a node that joined while the sweep ran."""
    logger.warning("A node has joined: %s", difference)
    differences = folder.read_provenance().get("placement", {}).get("differences", [])
    note_placement(folder, differences=[*differences, difference])


def _write(folder: RunFolder, content: dict[str, Any]) -> None:
    folder.write_json(folder.provenance_file, content)


def _command() -> str:
    """Return the command that was typed, or one that does the same as the call from Python."""
    typed = Path(sys.argv[0]).name == "tuneoff"
    return shlex.join(["tuneoff", *sys.argv[1:]]) if typed else "tuneoff run sweep.yaml"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _commit() -> str | None:
    """Return the commit of the checkout that tuneoff runs from; None for an installed package."""
    root = Path(__file__).parents[2]
    if not (root / ".git").exists():
        return None
    command = ["git", "-C", str(root), "describe", "--always", "--dirty"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
