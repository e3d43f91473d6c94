"""Learning curves instead of training: what a worker reports is a function of the hyperparameters.

The seam to Ray is the real one; behind it, a trial takes milliseconds and needs no torch. The model folder of
the task says what goes wrong with which trial, and holds a log of every rung that was trained.
"""

import ctypes
import errno
import json
import math
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import ray
from ray import cloudpickle

import spaces
from search.config.sweep import Sweep
from trainables.assignment import Assignment
from trainables.errors import DeviceFailed
from trainables.preemption import check_notice
from trainables.preflight.findings import Check, Findings
from trainables.rung_report import RungReport
from trainables.storage.atomic import new_file, write_text
from trainables.storage.place import Place, place
from trainables.trainable import FineTune

# Workers need not find this file: they are sent what is in it.
cloudpickle.register_pickle_by_value(sys.modules[__name__])

ROWS = {"train": 9, "validation": 4, "test": 4}
RUNGS = [3, 9, 27]
"""Of 3 epochs over 9 examples, as `sweep` has them."""
BASELINE_SCORE = 5.0


def plant_task(
    folder: Path, *, seconds: float = 0.0, failures: dict[str, tuple[str, int]] | None = None
) -> Path:
    """A model folder with only a config, and three small data files; `seconds` is what a rung takes.

    `failures` says what befalls a trial at which rung.
    """
    write_text(folder / "model" / "config.json", json.dumps({"model_type": "t5"}))
    settings = {"seconds": seconds, "failures": failures or {}}
    write_text(folder / "model" / "replay.json", json.dumps(settings))
    for split, count in ROWS.items():
        rows = [{"dialogue": f"{split} {n}", "summary": str(n)} for n in range(count)]
        write_text(folder / f"{split}.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    return folder


def sweep(task: Path, **changes: Any) -> Sweep:
    """Two methods, four trials each, two seeds, on what `plant_task` planted; `changes` by dotted key."""
    content: dict[str, Any] = {
        "name": "replayed",
        "seed": 7,
        "task": {
            "model": str(task / "model"),
            "data": {split: str(task / f"{split}.jsonl") for split in ROWS},
            "source": "dialogue",
            "target": "summary",
            "prompt": "{dialogue}\n",
        },
        "methods": {"full": {}, "lora": {}},
        "search": {"trials_per_method": 4, "sampler": "random"},
        "final": {"seeds": 2},
    }
    for path, value in changes.items():
        *parents, last = path.split("__")
        place = content
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = value
    return Sweep.model_validate(content)


def plant_sweep(task: Path, *, seconds: float, concurrent: int, **changes: Any) -> Path:
    """A task as `plant_task` plants it, with the file of its sweep."""
    plant_task(task, seconds=seconds)
    settings = sweep(task, resources={"concurrent_trials": concurrent}, **changes)
    write_text(task / "sweep.yaml", settings.to_yaml())
    return task


def quality(method: str, hyperparameters: dict[str, Any]) -> float:
    """What a trial comes to in the end, 20 to 60: best at the middle of the learning rates' range."""
    learning_rate = spaces.get(method).distributions["learning_rate"]
    low, high = math.log(learning_rate.low), math.log(learning_rate.high)
    share = (math.log(hyperparameters["learning_rate"]) - low) / (high - low)
    return 60 - 80 * abs(share - 0.5)


def curve(method: str, hyperparameters: dict[str, Any], examples: int) -> float:
    """The score after so many examples: rising, and never crossing another trial's curve."""
    return quality(method, hyperparameters) * (0.4 + 0.6 * (examples / RUNGS[-1]) ** 0.5)


def luck(seed: int) -> float:
    """What a seed of the final adds to its score."""
    return seed % 10 / 10


def steps(task: Path) -> list[dict[str, Any]]:
    """Every rung that any trial trained, as its worker logged it; the order is that of its end."""
    log = task / "model" / "steps.log"
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


HANGS_SECONDS = 600
MOST_HOARDED = 160
"""Blocks of 50 MB that a trial takes which outgrows its memory: 8 GB."""
MESSAGES = {"diverged": "the training loss was nan", "out_of_memory": "Out of memory: requested 8 bytes"}


class ReplayedTrial:
    """Stands in for `trainables.trial.Trial`: the same reports, checkpoints and outputs."""

    def __init__(self, assignment: Assignment) -> None:
        self.assignment = assignment
        self.model = Path(assignment.task.model)
        settings = json.loads((self.model / "replay.json").read_text())
        self.seconds: float = settings["seconds"]
        self.failure_kind, self.failure_rung = settings["failures"].get(assignment.trial, ("none", -1))
        if self.failure_kind == "cannot begin":
            raise RuntimeError(f"{assignment.trial} cannot begin")
        self._remarks: list[str] = []
        self._reports = self._read_checkpoint()
        self._told = min(assignment.rungs_told, len(self._reports))

    def next_report(self) -> RungReport:
        check_notice()
        if self._told == len(self._reports):
            self._reports.append(self._reach_rung(len(self._reports)))
            if self.assignment.method is not None:
                self._write_checkpoint()
        self._told += 1
        return self._reports[self._told - 1]

    def close(self) -> None:
        pass

    @property
    def _checkpoint(self) -> Place:
        return place(self.assignment.checkpoints) / "reports.json"

    def _read_checkpoint(self) -> list[RungReport]:
        if not self._checkpoint.is_file():
            return []
        try:
            reports = json.loads(self._checkpoint.read_text())
        except ValueError:
            self._remarks.append("The checkpoint was damaged and passed over.")
            return []
        return [RungReport.model_validate(report) for report in reports]

    def _write_checkpoint(self) -> None:
        if self.failure_kind == "finds the disk full" and (self.model / "full").exists():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._checkpoint))
        write_text(self._checkpoint, json.dumps([report.model_dump() for report in self._reports]))

    def _train(self) -> None:
        end = time.monotonic() + self.seconds
        while (left := end - time.monotonic()) > 0:
            check_notice()
            time.sleep(min(left, 0.01))

    def _reach_rung(self, rung: int) -> RungReport:
        assignment, began = self.assignment, time.time()
        self._train()
        failure_kind = self.failure_kind if rung == self.failure_rung else "none"
        self._suffer(failure_kind)
        self._log(rung, began)
        is_last = rung == len(assignment.rungs) - 1
        is_scored = is_last or not assignment.evaluate_at_end_only
        unscored = ("diverges", "has no score", "runs out of memory")
        score = self._score(rung) if is_scored and failure_kind not in unscored else None
        if is_last and assignment.output is not None:
            self._write_output(place(assignment.output))
        end = {"diverges": "diverged", "runs out of memory": "out_of_memory"}.get(failure_kind)
        return RungReport(
            rung=rung,
            examples=assignment.rungs[rung],
            score=score,
            scores={"rougeL": score} if is_scored and not end else {},
            cost={"train_seconds": float(rung + 1), "evaluation_seconds": 0.5},
            status=end or ("completed" if is_last else "running"),
            message=MESSAGES.get(end),
            remarks=self._remarks,
        )

    def _score(self, rung: int) -> float:
        assignment = self.assignment
        if assignment.method is None:
            return BASELINE_SCORE
        score = curve(assignment.method, assignment.hyperparameters, assignment.rungs[rung])
        return score + luck(assignment.seed) if assignment.split == "test" else score

    def _suffer(self, failure_kind: str) -> None:
        trial = self.assignment.trial
        if failure_kind == "raises":
            raise RuntimeError(f"{trial} always fails")
        if failure_kind == "loses its device":
            raise DeviceFailed("CUDA error: an illegal memory access was encountered")
        if failure_kind == "hangs":
            time.sleep(HANGS_SECONDS)
        if failure_kind == "hangs in C":
            ctypes.PyDLL(None).sleep(HANGS_SECONDS)  # PyDLL keeps the interpreter to itself
        if failure_kind == "outgrows its memory":
            hoard = [b"x" * 50_000_000 for _ in range(MOST_HOARDED)]
            time.sleep(HANGS_SECONDS)
            del hoard
        mark = self.model / f"{trial.replace('/', '-')}.suffered"
        if failure_kind.endswith(" once") and not mark.exists():
            mark.touch()
            self._suffer_once(failure_kind)

    def _suffer_once(self, failure_kind: str) -> None:
        if failure_kind == "dies once":
            os._exit(1)
        if failure_kind == "is killed once":
            os.kill(os.getpid(), signal.SIGKILL)
        if failure_kind == "is told to go once":
            os.kill(os.getpid(), signal.SIGTERM)
            check_notice()
        if failure_kind == "loses its device once":
            self._suffer("loses its device")
        if failure_kind == "raises once":
            raise RuntimeError(f"{self.assignment.trial} fails once")

    def _log(self, rung: int, began: float) -> None:
        assignment = self.assignment
        line = {
            "trial": assignment.trial,
            "rung": rung,
            "split": assignment.split,
            "limit": assignment.evaluation_limit,
            "resources": ray.get_runtime_context().get_assigned_resources(),
            "began": began,
            "ended": time.time(),
            "pid": os.getpid(),
        }
        with (self.model / "steps.log").open("a") as log:
            log.write(json.dumps(line) + "\n")

    def _write_output(self, output: Place) -> None:
        row = {"id": "test-0", "source": "test 0", "references": ["0"], "prediction": "zero", "rougeL": 1.0}
        with new_file(output / "predictions.parquet") as file:
            pd.DataFrame([row]).to_parquet(file)
        if self.assignment.method is not None:
            write_text(output / "adapter" / "adapter_model.safetensors", "weights")


class Replay(FineTune):
    """The real seam to Ray, in front of a replayed trial."""

    def _begin(self, config: dict[str, Any]) -> None:
        self.trial = ReplayedTrial(Assignment.model_validate(config["assignment"]))  # type: ignore[assignment]

    @classmethod
    def checks(cls, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """What is planted for the method, after a line in a log; with nothing planted all is well."""
        model, method = Path(request["task"]["model"]), request["method"]
        with (model / "checks.log").open("a") as log:
            log.write(json.dumps(request | {"pid": os.getpid()}) + "\n")
        failure_kind, times = json.loads((model / "replay.json").read_text())["failures"].get(
            f"checks/{method}", ("none", 0)
        )
        if failure_kind == "awaits":
            _await_lines(model / "checks.log", times)
        if failure_kind == "dies" and asked_about(model.parent).count(request["method"]) <= times:
            os._exit(1)
        if failure_kind == "loses its device" and asked_about(model.parent).count(request["method"]) <= times:
            raise DeviceFailed("CUDA error: an illegal memory access was encountered")
        if failure_kind == "raises":
            raise RuntimeError(f"{method} cannot be asked")
        for found in findings(fails=failure_kind == "fails").checks:
            yield found.model_dump()


def _await_lines(log: Path, count: int) -> None:
    end = time.monotonic() + 60
    while len(log.read_text().splitlines()) < count:
        assert time.monotonic() < end, f"{log} never came to {count} lines"
        time.sleep(0.02)


def findings(*, fails: bool = False) -> Findings:
    """Of a method that trains 100 examples a second, scores 50, and takes its batch in micro-batches of 4."""
    if fails:
        return Findings(
            checks=[check("targets", {"q": 4}), check("gradients", {}, verdict="fail", message="dead rows")]
        )
    speed = {"train_examples_per_second": 100.0, "evaluated_examples_per_second": 50.0, "trained_bytes": 4000}
    memory = {"micro_batch": 4, "trained_bytes": 12_000}
    return Findings(
        checks=[
            check("targets", {"q": 4}),
            check("reload", {"export_bytes": 5000}),
            check("speed", speed),
            check("lengths", {}, verdict="warn", message="cut [a lot]"),
            check("memory", memory),
        ]
    )


def check(name: str, figures: dict[str, Any], **fields: Any) -> Check:
    return Check.model_validate(
        {"name": name, "verdict": "pass", "message": "well", "figures": figures} | fields
    )


def asked(task: Path) -> list[dict[str, Any]]:
    """Every request that a worker was asked the preflight checks about."""
    log = task / "model" / "checks.log"
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def asked_about(task: Path) -> list[str]:
    """The method of each."""
    return [request["method"] for request in asked(task)]
