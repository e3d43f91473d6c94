"""A process that is left less and less address space, and what becomes of its trials.

It is given an assignment as JSON, of a trial whose batch is large, and prints a JSON object: what was
reported with room for the whole batch, for half of it, for less; and what a small trial reports then.
"""

import json
import resource
import sys
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from trainables.assignment import Assignment
from trainables.cost.memory import release_memory
from trainables.rung_report import RungReport
from trainables.trial import Trial


def run(assignment: Assignment, **changes: Any) -> RungReport:
    """The first report of a trial without a checkpoint, which is then closed."""
    with TemporaryDirectory() as folder:
        trial = Trial(assignment.model_copy(update={"checkpoints": folder, **changes}))
        try:
            return trial.next_report()
        finally:
            trial.close()


def limit(bytes_more: float) -> None:
    """Allow so much more address space than there is now."""
    release_memory()
    now = psutil.Process().memory_info().vms
    resource.setrlimit(resource.RLIMIT_AS, (now + round(bytes_more), resource.RLIM_INFINITY))


def main() -> None:
    assignment = Assignment.model_validate_json(sys.argv[1])
    batch = assignment.hyperparameters["batch_size"]
    run(assignment)  # loads whatever is loaded once
    needs = {part: run(assignment, micro_batch=batch // part).cost["peak_memory_bytes"] for part in (1, 2, 4)}
    release_memory()
    resident = psutil.Process().memory_info().rss
    limit((needs[1] + needs[2]) / 2)
    halved = run(assignment)
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    limit((needs[2] + needs[4]) / 2)
    starved = run(assignment)
    release_memory()
    left = psutil.Process().memory_info().rss - resident
    small = run(assignment, micro_batch=batch // 8)
    told = {"needs": needs, "left": left}
    told |= {"halved": halved.model_dump(), "starved": starved.model_dump(), "small": small.model_dump()}
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
