"""A folder with what one run of the final trained, a script that uses it, and a model card."""

import json
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from search.records import BASELINE, Record, Results, load_results
from search.report.exporting.card import card
from spaces import did_you_mean
from trainables import embedded
from trainables.errors import InputError
from trainables.rung_report import Precision
from trainables.standalone.script import BASE, Weights, script
from trainables.status import Status
from trainables.storage.atomic import new_folder, write_text
from trainables.storage.place import local_copy
from trainables.storage.sums import seal
from trainables.task import Task

SCRIPT = "predict.py"
_ADAPTER = "adapter_config.json"
_PATHS = ("base_model_name_or_path", "tokenizer_name_or_path")
"""What peft writes into an adapter's configuration of the model under it."""


def export(folder: str | Path, method: str, to: str | Path, seed: int = 0, *, merge: bool = False) -> Path:
    """Write what one run of the final trained to the folder `to`, with a script and a model card; return it.

    `merge` makes one whole model of an adapter and the model under it.

    Raises:
        InputError: no finished run of that method and seed, its weights are links to elsewhere or cannot be
            merged, or `to` holds something already or cannot be written.
    """
    results, target = load_results(folder), Path(to).absolute()
    record = _finished(results, method, seed)
    _check_empty(target)
    task, labels = results.sweep.task, _labels(results)
    try:
        with new_folder(target) as draft:
            with local_copy(results.folder.adapter(record)) as weights:
                shutil.copytree(weights, draft, symlinks=True, dirs_exist_ok=True)
            if merge:
                _merge(task, draft)
            _carry_base(task, draft)
            text = script(task, _weights(draft), _precision(task, record), labels)
            write_text(draft / SCRIPT, text)
            write_text(draft / "README.md", card(results, record, _weights(draft), text))
            seal(draft)
    except OSError as error:
        raise InputError(f"{target} cannot be written ({error}).") from error
    return target


def _finished(results: Results, method: str, seed: int) -> Record:
    finals = results.finals[results.finals["method"] != BASELINE]
    present = list(dict.fromkeys(finals["method"]))
    if method not in present:
        raise InputError(_unknown(method, present))
    record = results.final(method, seed)
    if record is None:
        seeds = ", ".join(str(index) for index in sorted(finals.loc[finals["method"] == method, "seed"]))
        raise InputError(f"The final has no seed {seed} of {method!r}. Seeds present: {seeds}.")
    if record.status is not Status.COMPLETED:
        raise InputError(
            f"The final {record.id} is not finished (it is {record.status}). "
            f"`tuneoff resume {results.folder.root}` goes on with the sweep."
        )
    weights = results.folder.adapter(record)
    if not weights.is_dir():
        raise InputError(f"The weights of {record.id} are gone: {weights} does not exist.")
    return record


def _unknown(method: str, present: list[str]) -> str:
    if not present:
        return f"There is nothing to export of {method!r}: the sweep has no finals yet."
    hint = did_you_mean(method, present)
    return f"The final has no method {method!r}{hint or '.'} Methods present: {', '.join(present)}."


def _check_empty(target: Path) -> None:
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise InputError(f"{target} exists and is not an empty folder. Name another one, or empty it first.")


def _labels(results: Results) -> tuple[str, ...]:
    """Return what a classification picks from; empty for any other task."""
    task = results.sweep.task
    if not task.picks_labels:
        return ()
    named = [*task.labels.values()] if isinstance(task.labels, dict) else task.labels
    labels = named or results.provenance.get("data", {}).get("labels")
    if not labels:
        raise InputError(
            f"The labels are not recorded: the sweep was begun by an earlier version. Name all of them in "
            f"{results.folder.sweep_file}, as task.labels, in alphabetical order."
        )
    return tuple(labels)


def _precision(task: Task, record: Record) -> Precision:
    """Return the precision it was scored in; where that is not recorded, what `auto` mostly comes to."""
    last = record.rungs[-1]
    if last.precision is not None:
        return last.precision
    if task.precision == "auto":
        return "bf16" if last.accelerator else "fp32"
    return task.precision


def _weights(folder: Path) -> Weights:
    adapter, model = _json(folder / _ADAPTER), _json(folder / "config.json")
    if adapter is not None:
        return Weights(True, adapter.get("task_type") == "SEQ_2_SEQ_LM", (folder / BASE).is_dir())
    return Weights(False, bool((model or {}).get("is_encoder_decoder")))


def _json(file: Path) -> dict[str, Any] | None:
    """Read an object; None where there is none."""
    try:
        content = json.loads(file.read_bytes())
    except FileNotFoundError:
        return None
    except (ValueError, RecursionError) as error:
        raise InputError(f"The weights are damaged: {file.name} cannot be read as JSON ({error}).") from error
    return content if isinstance(content, dict) else None


def _merge(task: Task, draft: Path) -> None:
    """Put a whole model in the place of an adapter; one that is whole stays as it is."""
    from trainables.standalone.merge import merge

    weights = _weights(draft)
    if not weights.is_adapter:
        return
    with TemporaryDirectory(dir=draft.parent, prefix=f"{draft.name}.") as adapter:
        for file in list(draft.iterdir()):
            shutil.move(file, adapter)
        merge(task, Path(adapter), draft, is_encoder_decoder=weights.is_encoder_decoder)


def _carry_base(task: Task, draft: Path) -> None:
    """Lay the model under an adapter beside it where no hub has that; its path is one of this machine."""
    if task.model != "embedded" or not _weights(draft).is_adapter:
        return
    shutil.copytree(embedded.MODEL, draft / BASE)
    config = _json(draft / _ADAPTER) or {}
    moved = {name: BASE for name in _PATHS if config.get(name)}
    write_text(draft / _ADAPTER, f"{json.dumps(config | moved, indent=2)}\n")
