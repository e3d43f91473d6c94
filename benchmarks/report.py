"""What the report of a large sweep takes: seconds, peak memory, and how large it is.

    python -m benchmarks.report [--trials 5000] [--rounds 3]

The run folder is planted: three methods with random hyperparameters and scores, two in three of the trials
stopped early, three seeds a method on test with predictions for 100 documents. The report is written by
`tuneoff report`, a process of its own, whose start counts.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

import pandas as pd

import spaces
from benchmarks import measure
from search.config.sweep import Sweep
from search.records.record import Record, Stop, now
from search.records.run_folder import RunFolder
from search.samplers import Next, get
from trainables.rung_report import Rung
from trainables.status import Status
from trainables.storage.atomic import write_text

AIM_SECONDS, AIM_GIB = 20.0, 1.0
METHODS = {"full": 2_534_880, "lora": 179_712, "prompt_tuning": 3_200}
"""Trainable parameters of each."""
RUNGS = (100, 300, 900)
DOCUMENTS = 100
SEEDS = 3
STARTED = "2026-01-01T00:00:00+00:00"


def plant(root: Path, trials: int) -> None:
    """A run folder of a sweep that has ended, with so many trials in all."""
    random, folder = Random(0), RunFolder(root)
    sweep = Sweep.model_validate(
        {
            "name": "large",
            "task": {"model": "a/model", "data": "some/data", "source": "s", "target": "t", "prompt": "{s}"},
            "methods": {method: {} for method in METHODS},
            "search": {"trials_per_method": -(-trials // len(METHODS))},
            "final": {"seeds": SEEDS},
        }
    )
    write_text(folder.sweep_file, sweep.to_yaml())
    folder.write_json(folder.provenance_file, _provenance())
    for number in range(trials):
        method = list(METHODS)[number % len(METHODS)]
        _write(folder, _trial(method, number // len(METHODS), random))
    _write(folder, _final("baseline", 0, 20.0))
    for method in METHODS:
        for seed in range(SEEDS):
            final = _final(method, seed, 30 + 5 * random.random())
            _write(folder, final)
            folder.predictions_file(final).parent.mkdir(parents=True, exist_ok=True)
            pd.DataFrame(_documents(random)).to_parquet(folder.predictions_file(final))


def _write(folder: RunFolder, record: Record) -> None:
    """Without the flush to disk that a sweep's own records have: thousands are written here at once."""
    file = folder.record_file(record)
    file.parent.mkdir(parents=True, exist_ok=True)
    Path(file).write_text(record.model_dump_json(indent=1) + "\n", encoding="utf-8")


def _trial(method: str, number: int, random: Random) -> Record:
    score = 30 + 10 * random.random()
    reached = random.choice((1, 1, 1, 1, 2, 2, 3, 3, 3)) if number else len(RUNGS)
    shares = (0.6, 0.8, 1.0)[:reached]
    rungs = [_rung(method, place, score * share, 10.0 * (place + 1)) for place, share in enumerate(shares)]
    is_stopped = reached < len(RUNGS)
    return Record(
        id=f"{method}/{number:04d}",
        method=method,
        number=number,
        phase="search",
        split="validation",
        origin="sampled" if number else "default",
        hyperparameters=_point(method, number),
        seed=number,
        status=Status.STOPPED if is_stopped else Status.COMPLETED,
        stop=Stop(rung=reached - 1, value=rungs[-1].score, cut_off=60.0) if is_stopped else None,
        rungs=rungs,
        started=STARTED,
        ended=now(),
    )


def _point(method: str, number: int) -> dict[str, Any]:
    space = spaces.get(method)
    if not number:
        return dict(space.default)
    sampler: Any = get("random").optuna_sampler(Next(number))
    return {
        name: sampler.sample_independent(None, None, name, part) for name, part in space.distributions.items()
    }


def _rung(method: str, place: int, score: float, seconds: float) -> Rung:
    parameters = METHODS.get(method, 0)
    total = max(METHODS.values()) + parameters
    return Rung(
        rung=place,
        examples=RUNGS[place],
        score=score,
        scores={"rouge1": score + 8, "rouge2": score / 2, "rougeL": score, "rougeLsum": score + 4},
        loss=2.5,
        train_loss=2.4,
        capped_share=0.1,
        cost={
            "trainable_parameters": parameters,
            "total_parameters": total,
            "trainable_percent": 100 * parameters / total,
            "peak_memory_bytes": 2**30,
            "startup_seconds": 0.5,
            "train_seconds": seconds,
            "evaluation_seconds": seconds / 4,
            "adapter_bytes": 4 * parameters,
        },
    )


def _final(method: str, seed: int, score: float) -> Record:
    is_baseline = method == "baseline"
    return Record(
        id=f"{method}/seed-{seed}",
        method=method,
        number=seed,
        phase="final",
        split="test",
        origin="baseline" if is_baseline else "winner",
        of_trial=None if is_baseline else f"{method}/0001",
        hyperparameters={} if is_baseline else _point(method, 1),
        seed=seed,
        status=Status.COMPLETED,
        rungs=[_rung(method, 0, score, 0.0 if is_baseline else 100.0)],
        started=STARTED,
        ended=now(),
    )


def _documents(random: Random) -> list[dict[str, Any]]:
    return [
        {
            "id": f"test-{number}",
            "source": f"#Person1#: Is number {number} ready?\n#Person2#: Not yet. " * 8,
            "references": [f"Number {number} is late.", f"It takes more time for number {number}."],
            "prediction": f"Number {number} is not ready.",
            "rougeL": 30 + 10 * random.random(),
        }
        for number in range(DOCUMENTS)
    ]


def _provenance() -> dict[str, Any]:
    return {
        "tuneoff": "0",
        "command": "tuneoff run large.yaml",
        "started": STARTED,
        "versions": {},
        "hardware": {},
        "data": {
            "fingerprint": "0",
            "counts": {"train": 300, "validation": 50, "test": DOCUMENTS},
            "notes": [],
        },
        "budget": {"examples": RUNGS[-1], "rungs": list(RUNGS)},
        "metric": {"name": "rouge"},
    }


def write_report(root: Path) -> dict[str, float]:
    """What one `tuneoff report` took, and what it left."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "search.console.app", "report", str(root)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
    if status:
        raise SystemExit(f"{' '.join(command)} failed")
    return {
        "seconds": seconds,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "peak_gib": usage.ru_maxrss / 2**20,
        "page_mib": (root / "report" / "report.html").stat().st_size / 2**20,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    measure.add_options(parser, "report")
    parser.add_argument("--trials", type=int, default=5000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        plant(Path(folder), options.trials)
        rounds = [write_report(Path(folder)) for _ in range(options.rounds or 1)]
    middle = {name: median(one[name] for one in rounds) for name in rounds[0]}
    sys.stdout.write(
        f"Report of {options.trials} trials, median of {len(rounds)}: {middle['seconds']:.1f} s "
        f"({middle['cpu_seconds']:.1f} s of the processor; aim {AIM_SECONDS:g} s), "
        f"peak {middle['peak_gib']:.2f} GiB (aim {AIM_GIB:g}), page {middle['page_mib']:.1f} MiB\n"
    )
    measure.write(options, {"rounds_measured": rounds, "aims": {"seconds": AIM_SECONDS, "peak_gib": AIM_GIB}})


if __name__ == "__main__":
    main()
