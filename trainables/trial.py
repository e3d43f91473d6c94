"""One trial as its scheduler sees it: a report at each rung. Without Ray, so it runs anywhere."""

import math
import time
from statistics import fmean
from typing import Any

import torch

from trainables.assignment import Assignment
from trainables.copies import CHOSEN_ON, copies
from trainables.cost.latency import latency
from trainables.cost.meter import Figures
from trainables.device import accelerator, set_deterministic
from trainables.evaluation import Evaluation
from trainables.loop import FineTuning
from trainables.losses import Diverged
from trainables.out_of_memory import OutOfMemory, Shortage, attempt
from trainables.preemption import Preempted, check_notice
from trainables.rung_report import RungReport
from trainables.status import Status
from trainables.storage import predictions
from trainables.storage.atomic import new_file, new_folder
from trainables.storage.place import Place, place
from trainables.storage.sums import seal
from trainables.task_types import get as task_type
from trainables.workbench import workbench


class Trial:
    """Run an assignment, one rung after the other.

    A checkpoint holds the reports that came before it: a resumed trial first repeats those that its driver
    may not have received, and trains only what was never trained.

    Raises:
        OutOfMemory: model and method do not fit; the process holds what was loaded of them.
    """

    def __init__(self, assignment: Assignment) -> None:
        torch.set_num_threads(assignment.cpus)
        set_deterministic(assignment.task.deterministic)
        self.assignment = assignment
        begun = attempt(lambda: _begun(assignment))
        if isinstance(begun, Shortage):
            raise OutOfMemory(f"Out of memory while loading: {begun}.")
        self.tuning = begun
        self._remarks: list[str] = []
        notes = self.tuning.load(place(assignment.checkpoints), self._remarks.append)
        kept = notes["reports"] if notes else []
        self._reports = [RungReport.model_validate(report) for report in kept]
        self._losses: list[float] = notes["losses"] if notes else []
        self._told = min(assignment.rungs_told, len(self._reports))

    def next_report(self) -> RungReport:
        """Train to the next rung and score it there, or repeat what a checkpoint remembers of it.

        Raises:
            Preempted: this machine is about to go; what was trained is in the checkpoint.
        """
        check_notice()
        if self._told == len(self._reports):
            self._reports.append(self._reach_rung(len(self._reports)))
        self._told += 1
        return self._reports[self._told - 1]

    def close(self) -> None:
        """Free the process for the next trial."""
        self.tuning.close()

    def _reach_rung(self, rung: int) -> RungReport:
        try:
            return self._work_to(rung)
        except Diverged as error:
            return self._report(rung, status=Status.DIVERGED, message=str(error), score=None)
        except OutOfMemory as error:
            return self._report(rung, status=Status.OUT_OF_MEMORY, message=str(error), score=None)
        except Preempted:
            if self.assignment.method is not None:
                self._save(self._reports)
            raise

    def _work_to(self, rung: int) -> RungReport:
        assignment, tuning = self.assignment, self.tuning
        examples = assignment.rungs[rung] - tuning.examples_seen
        if assignment.method is not None:
            self._losses += tuning.advance(examples)
        check_notice()
        is_last = rung == len(assignment.rungs) - 1
        evaluation = None
        if is_last or not assignment.evaluate_at_end_only:
            evaluation = tuning.evaluate(assignment.split, assignment.evaluation_limit)
        report = self._report(
            rung,
            status=Status.COMPLETED if is_last else Status.RUNNING,
            train_loss=fmean(self._losses) if self._losses else None,
            **_scores(evaluation, assignment.task.metric),
        )
        if is_last and evaluation and assignment.output:
            report.cost |= self._write_output(evaluation)  # what that takes is not in the trial's peak
        self._losses.clear()
        if assignment.method is not None:
            self._save([*self._reports, report])
        return report

    def _save(self, reports: list[RungReport]) -> None:
        notes = {"reports": [report.model_dump() for report in reports], "losses": self._losses}
        self.tuning.save(place(self.assignment.checkpoints), notes)

    def _report(self, rung: int, **figures: Any) -> RungReport:
        return RungReport(
            rung=rung,
            examples=self.tuning.examples_seen,
            cost=self.tuning.cost(),
            accelerator=accelerator(self.tuning.base.device),
            precision=self.tuning.base.precision,
            remarks=self._remarks,
            **figures,
        )

    def _write_output(self, evaluation: Evaluation) -> Figures:
        """Write the predictions and the trained weights; return their bytes and latencies."""
        assert self.assignment.output is not None
        output = place(self.assignment.output)
        with new_file(output / "predictions.parquet") as file:
            predictions.write(evaluation.examples, file)
        if self.assignment.method is None:
            self._write_copies(output)
            return self._latency()
        with new_folder(output / "adapter") as folder:
            self.tuning.base.export(self.tuning.model, folder)
            seal(folder)
            adapter_bytes = sum(file.stat().st_size for file in folder.rglob("*.safetensors"))
        return {"adapter_bytes": adapter_bytes, **self._latency()}

    def _write_copies(self, output: Place) -> None:
        """Score copies of the sources beside the untrained model, where that is an answer to the task."""
        bench, assignment = self.tuning.bench, self.assignment
        if not task_type(bench.task.type).may_copy:
            return
        subsets = (
            bench.subset("validation", CHOSEN_ON),
            bench.subset(assignment.split, assignment.evaluation_limit),
        )
        table = copies(bench.task, *([example for example, _ in subset] for subset in subsets))
        with new_file(output / "copies.parquet") as file:
            predictions.write(table, file)

    def _latency(self) -> Figures:
        tuning = self.tuning
        scored = tuning.bench.subset(self.assignment.split, self.assignment.evaluation_limit)
        sources = [encoded.source for _, encoded in scored]
        return latency(tuning.base, tuning.model, sources, cap=tuning.bench.longest_output)


def _begun(assignment: Assignment) -> FineTuning:
    """Load model and data, unless this process has them already, and attach the method."""
    began = time.perf_counter()
    task = assignment.task.model_dump_json()
    bench = workbench(task, assignment.data_seed, assignment.data_fingerprint, assignment.tokens)
    loaded = time.perf_counter()
    tuning = FineTuning(
        bench,
        assignment.method,
        assignment.hyperparameters,
        examples=assignment.rungs[-1],
        seed=assignment.seed,
        micro_batch=assignment.micro_batch,
    )
    tuning.meter.seconds["startup_seconds"] += loaded - began
    return tuning


def _scores(evaluation: Evaluation | None, metric: str) -> dict[str, Any]:
    if evaluation is None:
        return {"score": None}
    scores = {name: _finite(score) for name, score in evaluation.scores.items()}
    return {
        "score": scores[metric],
        "scores": scores,
        "loss": _finite(evaluation.loss),
        "capped_share": evaluation.capped_share,
    }


def _finite(value: float) -> float | None:
    """Replace a figure that is not finite by None, for JSON has no NaN."""
    return value if math.isfinite(value) else None
