"""What the driver takes for a trial that does nothing, against plain Ray Tune with random search.

    python -m benchmarks.driver [--trials 1000] [--rounds 1] [--full]

Both sides run trials of one report each on two reused actors of this machine, each side in a process and on a
Ray of its own. tuneoff runs the search of three methods with random search, and keeps records, studies
and TensorBoard's event files; plain Tune keeps what it keeps by default, event files among it. Ray's own
start is not counted.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil
import ray
from ray import cloudpickle, tune

import spaces
from benchmarks.measure import OURS, Comparison, Sample, add_options, in_turns, tell
from search.cluster.connection import connected
from search.config.sweep import Sweep
from search.engine.experiment import Experiment
from search.engine.search_phase import SearchPhase
from search.records.plan import Plan
from search.records.record import Record
from search.records.run_folder import RunFolder
from search.trackers.tensorboard import TensorBoardLogger
from trainables.rung_report import RungReport
from trainables.status import Status
from trainables.storage.atomic import write_text
from trainables.trainable import FineTune

# Workers need not find this file: they are sent what is in it.
cloudpickle.register_pickle_by_value(sys.modules[__name__])

PLAIN = "plain Tune"
SIZES, LONG_SIZES = [1000], [1000, 3000, 10_000]
METHODS = ("full", "lora", "prompt_tuning")
CPUS = 2
AIM = 1 / 1.3
"""Plain Tune may take so much less."""


class TrivialTrial:
    """Stands in for `trainables.trial.Trial`: is at its end at once."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.examples = config["assignment"]["rungs"][-1]

    def next_report(self) -> RungReport:
        return RungReport(
            rung=0,
            examples=self.examples,
            score=1.0,
            scores={"rougeL": 1.0},
            cost={"train_seconds": 0.0, "evaluation_seconds": 0.0},
            status=Status.COMPLETED,
        )

    def close(self) -> None:
        """Nothing is held."""


class Trivial(FineTune):
    """The real seam to Ray, in front of a trial that does nothing."""

    def _begin(self, config: dict[str, Any]) -> None:
        self.trial = TrivialTrial(config)  # type: ignore[assignment]


class PlainTrivial(tune.Trainable):
    """The same as a user of Tune would write it."""

    def setup(self, config: dict[str, Any]) -> None:
        """Nothing to set up."""

    def step(self) -> dict[str, Any]:
        return {"score": 1.0, "done": True}

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        return True


class Ends:
    """When each trial ended: how the time a trial grows."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.began = time.perf_counter()

    def note(self) -> None:
        self.seconds.append(time.perf_counter() - self.began)

    def milliseconds(self, parts: int = 4) -> list[float]:
        """A trial, on average, in each part of the trials."""
        marks = [0.0, *self.seconds]
        places = [round(part * (len(marks) - 1) / parts) for part in range(parts + 1)]
        return [round(1000 * (marks[high] - marks[low]) / (high - low), 2) for low, high in pairwise(places)]


def run_tuneoff(trials: int, folder: Path, sampler: str = "random") -> Ends:
    """The search of a sweep, without what comes before and after it."""
    sweep = Sweep.model_validate(
        {
            "name": "trivial",
            "task": {"model": "m", "data": "d", "source": "s", "target": "t", "prompt": "{s}"},
            "methods": {method: {} for method in METHODS},
            "search": {
                "trials_per_method": -(-trials // len(METHODS)),
                "sampler": sampler,
                "scheduler": "none",
            },
            "resources": {"concurrent_trials": CPUS},
        }
    )
    run_folder = RunFolder(folder)
    write_text(run_folder.sweep_file, sweep.to_yaml())
    plan = Plan(sweep, run_folder, "", [1])
    with connected("local") as cluster:
        slots = cluster.slots(sweep.resources)
        ends = Ends()

        def note(event: str, record: Record) -> None:
            if record.status.has_ended:
                ends.note()

        told = (TensorBoardLogger(run_folder), note)
        experiment = Experiment(Trivial, cluster, sweep.resources, slots, run_folder.tune, told)
        SearchPhase().run(plan, experiment)
    return ends


def run_plain(trials: int, folder: Path) -> Ends:
    ends = Ends()

    class Note(tune.Callback):
        def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
            ends.note()

    os.environ.setdefault("RAY_AIR_NEW_OUTPUT", "0")
    ray.init("local", num_cpus=CPUS, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    ends.began = time.perf_counter()
    tune.Tuner(
        PlainTrivial,
        param_space={"method": tune.choice(METHODS)} | {name: tune.uniform(0, 1) for name in _names()},
        tune_config=tune.TuneConfig(num_samples=trials, metric="score", mode="max", reuse_actors=True),
        run_config=tune.RunConfig(
            name="plain",
            storage_path=str(folder),
            verbose=0,
            callbacks=[Note()],
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
        ),
    ).fit()
    ray.shutdown()
    return ends


def _names() -> list[str]:
    return list(spaces.get("lora").distributions)


SIDES = {OURS: run_tuneoff, PLAIN: run_plain}


def work(side: str, trials: int) -> None:
    """In a process of its own: the figures of one side, as JSON on the last line of the output."""
    with tempfile.TemporaryDirectory() as folder:
        cpu = time.process_time()
        ends = SIDES[side](trials, Path(folder))
        figures = {
            "trials": len(ends.seconds),
            "wall_seconds": ends.seconds[-1],
            "cpu_seconds": time.process_time() - cpu,
            "milliseconds_by_quarter": ends.milliseconds(),
            "resident_bytes": psutil.Process().memory_info().rss,
            "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        }
    sys.stdout.write(json.dumps(figures) + "\n")


def child(side: str, trials: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.driver", "--side", side, "--trials", str(trials)]
    environment = os.environ | {"RAY_USAGE_STATS_ENABLED": "0"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def compare(trials: int, rounds: int) -> Comparison:
    told: dict[str, list[dict[str, Any]]] = {side: [] for side in SIDES}

    def turn(side: str) -> Sample:
        figures = child(side, trials)
        told[side].append(figures)
        return Sample(figures["trials"], figures["wall_seconds"], figures["cpu_seconds"])

    samples = in_turns({side: lambda side=side: turn(side) for side in SIDES}, rounds)
    notes: dict[str, Any] = {
        f"{side} peak": f"{told[side][0]['peak_bytes'] / 2**20:.0f} MiB" for side in SIDES
    }
    notes |= {f"{side} ms by quarter": told[side][0]["milliseconds_by_quarter"] for side in SIDES}
    return Comparison(f"{trials} trials", "trial", samples, {PLAIN: AIM}, notes | {"figures": told})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    add_options(parser, "driver")
    parser.add_argument("--trials", type=int, nargs="+", help="how many, one run each")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        work(options.side, options.trials[0])
        return
    sizes = options.trials or (LONG_SIZES if options.full else SIZES)
    compared = [compare(trials, options.rounds or 1) for trials in sizes]
    tell("Driver: trials that do nothing", compared, options)


if __name__ == "__main__":
    main()
