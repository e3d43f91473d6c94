"""Read a run folder as tables, for the report, an export or a notebook.

Needs neither Ray nor torch, and works while the sweep runs.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from search.config import Sweep
from search.records.record import Phase, Record
from search.records.run_folder import RunFolder
from trainables.errors import InputError
from trainables.status import Status
from trainables.storage import predictions
from trainables.storage.place import Place, bytes_of

BASELINE = "baseline"
"""The untrained model's name among the methods of the final."""

_TRIAL_NUMBERS = ("score", "best_score", "validation_loss", "stop_rung", "stop_value", "stop_cut_off")
_TRIAL_COLUMNS = (
    "id", "method", "number", "phase", "status", "origin", "rungs", "examples", *_TRIAL_NUMBERS,
    "stop_reason",
)  # fmt: skip
_FINAL_NUMBERS = ("score", "test_loss", "capped_share")
_FINAL_COLUMNS = ("method", "seed", "origin", "of_trial", "status", "examples", *_FINAL_NUMBERS)
_END_COLUMNS = ("started", "ended", "error")


@dataclass(frozen=True)
class Results:
    """The content of a run folder when it was read."""

    folder: RunFolder
    sweep: Sweep
    provenance: dict[str, Any]
    """Versions, hardware, data and command; empty before the first start."""
    records: list[Record]

    @cached_property
    def methods(self) -> list[str]:
        """The methods in the sweep's order, then those that only the records know."""
        names = [*self.sweep.methods, *(record.method for record in self.records)]
        return [name for name in dict.fromkeys(names) if name != BASELINE]

    @cached_property
    def imported(self) -> list[str]:
        """The methods whose results another tool made, in the order of `methods`."""
        foreign = {record.method for record in self.records if record.is_foreign}
        return [name for name in self.methods if name in foreign]

    @property
    def searched(self) -> list[str]:
        """The methods that tuneoff searches, in the order of `methods`."""
        return [name for name in self.methods if name not in self.imported]

    @cached_property
    def trials(self) -> pd.DataFrame:
        """One row a trial of the search, and one a run of the audit: see `phase`.

        `score` is the last one reported, on the validation split. Hyperparameters are columns named
        `hyperparameters.<name>`; costs go by their own names.
        """
        records = [record for record in self.records if record.split == "validation"]
        sampled = [{f"hyperparameters.{k}": v for k, v in r.hyperparameters.items()} for r in records]
        costs = [record.cost for record in records]
        columns = [*_TRIAL_COLUMNS, *_keys(sampled), *_keys(costs), *_END_COLUMNS]
        rows = [_trial(r) | h | c | _end(r) for r, h, c in zip(records, sampled, costs, strict=True)]
        return _table(rows, columns, numbers=[*_TRIAL_NUMBERS, *_keys(costs)])

    @cached_property
    def finals(self) -> pd.DataFrame:
        """One row a run of the final, the baseline's included; scores are of the test split, in points.

        `seed` is the seed's index. Each score of the metric's family and each cost goes by its own name.
        """
        return self._on_test("final")

    @cached_property
    def retrained_defaults(self) -> pd.DataFrame:
        """As `finals`, for the default configurations; empty where the sweep does not retrain them."""
        return self._on_test("untuned")

    def _on_test(self, phase: Phase) -> pd.DataFrame:
        records = [record for record in self.records if record.phase == phase]
        scores = [record.rungs[-1].scores if record.rungs else {} for record in records]
        costs = [record.cost for record in records]
        columns = [*_FINAL_COLUMNS, *_keys(scores), *_keys(costs), *_END_COLUMNS]
        rows = [_final(r) | s | c | _end(r) for r, s, c in zip(records, scores, costs, strict=True)]
        return _table(rows, columns, numbers=[*_FINAL_NUMBERS, *_keys(scores), *_keys(costs)])

    @cached_property
    def search_device_seconds(self) -> dict[str, float]:
        """Device seconds of each method's search: start-up, training and evaluation of all its trials.

        Seconds times the devices of a trial: the GPUs it was given, or a share of one; a trial without a GPU
        takes one device, the machine; one that needed a whole GPU took that.
        """
        gpus = self.sweep.resources.gpus_per_trial
        if gpus == "auto":
            gpus = self.provenance.get("placement", {}).get("gpus_per_trial", 1.0)
        devices = float(gpus) or 1.0
        return {
            method: sum(r.spent_seconds * (1.0 if r.whole_gpu else devices) for r in self.search(method))
            for method in self.searched
        }

    def search(self, method: str) -> list[Record]:
        """List the records of one method's search."""
        return [r for r in self.records if r.phase == "search" and r.method == method]

    def audits(self, method: str) -> list[Record]:
        """List the records of one method's audit of early stopping."""
        return [r for r in self.records if r.phase == "audit" and r.method == method]

    def final(self, method: str, seed: int, phase: Phase = "final") -> Record | None:
        """Find the record of one run of the final; `seed` is the seed's index."""
        runs = (r for r in self.records if (r.phase, r.method, r.number) == (phase, method, seed))
        return next(runs, None)

    @cached_property
    def damaged_predictions(self) -> dict[str, str]:
        """Run id to what is wrong with its predictions, and the remedy."""
        again = "`tuneoff resume` sets them aside and has the run again."
        damaged = self.folder.damaged_predictions(self.records)
        return {run: f"{problem} {again}" for run, problem in damaged.items()}

    @cached_property
    def copies(self) -> pd.DataFrame:
        """Copies of a part of each source on the test split, as `trainables.copies` has them.

        Empty where none were scored, or the baseline's output is damaged: see `damaged_predictions`.
        """
        baseline = self.final(BASELINE, 0)
        if baseline is None or baseline.id in self.damaged_predictions:
            return pd.DataFrame(columns=[*predictions.COPIES])
        return self.folder.read_copies(baseline)

    def predictions(self, method: str, seed: int = 0, phase: Phase = "final") -> pd.DataFrame:
        """Read what one run of the final wrote on the test split, one row a document.

        Columns: id, source, references (a list of texts), prediction, and a column for each score of the
        document by itself, in points; for a score that is no mean over documents also `<score>_statistics`,
        which are summed up to compute it. `phase="untuned"`: of the method's default instead of its winner.

        Raises:
            InputError: the final has no such run, it has not finished, or what it wrote is damaged.
        """
        record = self.final(method, seed, phase)
        if record is None or not self.folder.predictions_file(record).exists():
            raise InputError(
                f"There are no predictions of {method!r} with seed {seed} in {self.folder.root}. "
                "`.finals` lists the runs of the final and their status."
            )
        if record.id in self.damaged_predictions:
            raise InputError(self.damaged_predictions[record.id])
        return self.folder.read_predictions(record)


def load_results(folder: str | Place) -> Results:
    """Read a run folder.

    Raises:
        InputError: it is no run folder, or one of its files cannot be read.
    """
    run, sweep = RunFolder(folder), sweep_of(folder)
    run.read_preflight()  # not needed, but it may be what says that the folder is a newer one
    return Results(run, sweep, run.read_provenance(), run.read_records())


def sweep_of(folder: str | Place) -> Sweep:
    """Read the sweep of a run folder, whatever state its records are in.

    Raises:
        InputError: it is no run folder, or its sweep cannot be read.
    """
    run = RunFolder(folder)
    if not run.sweep_file.is_file():
        raise InputError(f"{run.root} is not a run folder: it holds no sweep.yaml. {_advice(run.root)}")
    return Sweep.from_yaml(bytes_of(run.sweep_file), str(run.sweep_file))


def refuse_imported(run: RunFolder, sweep: Sweep) -> None:
    """Raise InputError for a folder of imported results alone, of which nothing can be run."""
    if sweep.imported:
        raise InputError(
            f"{run.root} holds imported results alone: there is nothing to run or to go on with. `tuneoff "
            "report` writes its report anew, `tuneoff import` adds to it."
        )


def winner(records: Iterable[Record]) -> Record | None:
    """Select the trial of one method that goes to the final; None while there is none.

    It has completed, so that all are compared at the full budget, and its last score is the highest: the last
    and not the best rung's, because the last one is what a final will reproduce. A tie goes to the earlier
    number.
    """
    candidates = [
        (record.score, -record.number, record)
        for record in records
        if record.phase == "search"
        and record.status is Status.COMPLETED
        and record.score is not None
        and math.isfinite(record.score)
    ]
    return max(candidates, key=lambda candidate: candidate[:2])[2] if candidates else None


def last_line(traceback: str | None) -> str | None:
    """Return the last line of a traceback, which names the error; None if there is none."""
    lines = (traceback or "").strip().splitlines()
    return lines[-1].strip() if lines else None


def _advice(root: Place) -> str:
    inside = sorted(file.parent.name for file in root.glob("*/sweep.yaml"))
    if inside:
        return f"Did you mean one of the run folders in it: {', '.join(inside)}?"
    return "Name the folder that `tuneoff run` printed when it started."


def _trial(record: Record) -> dict[str, Any]:
    last, stop = record.rungs[-1] if record.rungs else None, record.stop
    return {
        "id": record.id,
        "method": record.method,
        "number": record.number,
        "phase": record.phase,
        "status": record.status.value,
        "origin": record.origin,
        "rungs": len(record.rungs),
        "examples": last.examples if last else 0,
        "score": record.score,
        "best_score": record.best_score,
        "validation_loss": last.loss if last else None,
        "stop_rung": stop.rung if stop else None,
        "stop_value": stop.value if stop else None,
        "stop_cut_off": stop.cut_off if stop else None,
        "stop_reason": stop.reason if stop else None,
    }


def _final(record: Record) -> dict[str, Any]:
    last = record.rungs[-1] if record.rungs else None
    return {
        "method": record.method,
        "seed": record.number,
        "origin": record.origin,
        "of_trial": record.of_trial,
        "status": record.status.value,
        "examples": last.examples if last else 0,
        "score": record.score,
        "test_loss": last.loss if last else None,
        "capped_share": last.capped_share if last else None,
    }


def _end(record: Record) -> dict[str, Any]:
    return {"started": record.started, "ended": record.ended, "error": last_line(record.error)}


def _keys(rows: Iterable[dict[str, Any]]) -> list[str]:
    """List all keys, in the order of their first appearance."""
    return list(dict.fromkeys(key for row in rows for key in row))


def _table(rows: list[dict[str, Any]], columns: list[str], *, numbers: list[str]) -> pd.DataFrame:
    """Build a table; its `numbers` are floats even where none is known or there are no rows."""
    return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(numbers, float))
