"""Is a candidate for the embedded model worth adapting? Its scores on the quickstart's test documents.

    python -m tools.pretraining.score trainables/embedded/model

The candidate is scored untrained, then after each method's budget in the quickstart, beside what copying
turns scores. One thread and processor time, so that other programs on the machine change no figure.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import torch

import spaces
from search.config import load_sweep
from trainables import metrics
from trainables.embedded import MODEL
from trainables.evaluation import Evaluation
from trainables.loop import FineTuning
from trainables.task import Task
from trainables.workbench import Workbench

COPIES: dict[str, Callable[[list[str]], str]] = {
    "first three turns": lambda turns: "\n".join(turns[:3]),
    "last three turns": lambda turns: "\n".join(turns[-3:]),
    "longest turn": lambda turns: max(turns, key=len),
}
"""Summaries that nobody had to learn."""

POINTS: dict[str, dict[str, Any]] = {
    "full": {"learning_rate": 5e-4},
    "lora": {"learning_rate": 2e-3},
    "prompt_tuning": {"learning_rate": 0.2},
}
"""The hyperparameters with which a method is judged, where they are not its default ones."""


@dataclass(frozen=True)
class Budget:
    """What a method may spend, and on how many documents it is then scored."""

    examples: int
    test_documents: int
    batch: int


def score(task: Task, budget: Budget, methods: Mapping[str, Mapping[str, Any]] = POINTS) -> None:
    """Print a line a copy baseline, one for the untrained model and one a method, then what each writes."""
    bench = Workbench(task, data_seed=0)
    written = {}
    for name, copy in COPIES.items():
        rows = bench.subset("test", budget.test_documents)
        said = [copy(example.source.split("\n")) for example, _ in rows]
        references = [list(example.references) for example, _ in rows]
        columns = metrics.measure(task.scored_by, said, references, task.rules([]))
        _say(f"{name:<20} {metrics.of_corpus(columns)[task.metric]:5.1f}")
    for method in (None, *methods):
        written[method or "untrained"] = _adapt(bench, method, methods.get(method or "", {}), budget)
    _show(written)


def _adapt(bench: Workbench, method: str | None, point: Mapping[str, Any], budget: Budget) -> Evaluation:
    hyperparameters = {**spaces.get(method).default, "batch_size": budget.batch, **point} if method else {}
    tuning = FineTuning(bench, method, hyperparameters, examples=budget.examples, seed=0)
    began = time.process_time()
    losses = tuning.advance(budget.examples) if method else []
    trained = time.process_time()
    evaluation = tuning.evaluate("test", budget.test_documents)
    evaluated = time.process_time()
    tuning.close()
    _say(
        f"{method or 'untrained':<20} {evaluation.scores[bench.task.metric]:5.1f}   "
        f"loss {fmean(losses[-5:] or [0]):.2f}, on test {evaluation.loss:.2f};   CPU s: "
        f"{trained - began:.1f} to train ({1000 * (trained - began) / budget.examples:.1f} ms an example), "
        f"{evaluated - trained:.1f} to evaluate "
        f"({1000 * (evaluated - trained) / budget.test_documents:.1f} ms a document)"
    )
    return evaluation


def _show(written: Mapping[str, Evaluation], documents: int = 3) -> None:
    for row in range(documents):
        _say(f"\n{next(iter(written.values())).examples.references[row]}")
        for name, evaluation in written.items():
            _say(f"    {name:<14} {evaluation.examples.prediction[row]}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Read the command line and score."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path, nargs="?", default=MODEL, help="folder of a candidate")
    parser.add_argument("--examples", type=int, default=600, help="to train on (default: %(default)s)")
    parser.add_argument("--documents", type=int, default=64, help="of the test split (default: %(default)s)")
    parser.add_argument("--batch", type=int, default=16, help="examples a step (default: %(default)s)")
    parser.add_argument("--methods", nargs="*", choices=POINTS, default=[*POINTS])
    for method in POINTS:
        parser.add_argument(f"--{method}", type=float, help="its learning rate")
    options = parser.parse_args()
    torch.set_num_threads(1)
    task = load_sweep("quickstart").task.model_copy(update={"model": str(options.model)})
    rates = {
        method: getattr(options, method) or POINTS[method]["learning_rate"] for method in options.methods
    }
    score(
        task,
        Budget(options.examples, options.documents, options.batch),
        {method: {**POINTS[method], "learning_rate": rate} for method, rate in rates.items()},
    )


if __name__ == "__main__":
    main()
