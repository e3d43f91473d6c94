"""Training throughput of one trial: tuneoff, a Seq2SeqTrainer with little padding, the notebook's Trainer.

    python -m benchmarks.training [--full] [--model FOLDER] [--data FOLDER] [--precision fp32]

Each side trains one epoch over the same examples with the same hyperparameters, so as many steps. Counted
are the seconds from the first step to the end of the last; loading, attaching and tokenising are not. The
notebook pads every example to the same length and gets an eighth of the examples, tuneoff's ratio is of time
per example.
"""

import argparse
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from transformers import Trainer, TrainerCallback
from transformers.utils import logging

from benchmarks import measure, work
from benchmarks.measure import Comparison, Sample, Side, timed
from benchmarks.peers import notebook, script
from benchmarks.work import Work, point
from trainables.loop import FineTuning
from trainables.workbench import Workbench

AIMS = {"notebook": 8.0, "Seq2SeqTrainer": 1.3}
NOTEBOOK_SHARE = 8
"""Of so many examples the notebook gets one: its time per example does not depend on which."""
WARM_UP_EXAMPLES = 16


class Clock(TrainerCallback):
    """The seconds of a Trainer's steps, without what comes before the first."""

    def __init__(self, examples: int) -> None:
        self.examples = examples

    def on_train_begin(self, *_: Any, **__: Any) -> None:
        self._open = ExitStack()
        self.sample = self._open.enter_context(timed(self.examples))

    def on_train_end(self, *_: Any, **__: Any) -> None:
        self._open.close()


def ours(bench: Workbench, method: str, hyperparameters: dict[str, Any], examples: int) -> Sample:
    """One epoch by tuneoff."""
    tuning = FineTuning(bench, method, hyperparameters, examples=examples, seed=0)
    with timed(examples) as sample:
        tuning.advance(examples)
    tuning.close()
    return sample


def trained(trainer: Trainer, examples: int) -> Sample:
    """One epoch by a Trainer."""
    trainer.add_callback(clock := Clock(examples))
    trainer.train()
    return clock.sample


def by_script(of: Work, method: str, hyperparameters: dict[str, Any], examples: int, output: Path) -> Sample:
    trainer = script.make_trainer(of, method, hyperparameters, output=str(output), num_train_epochs=1)
    return trained(trainer, examples)


def by_notebook(
    of: Work, method: str, hyperparameters: dict[str, Any], examples: int, output: Path
) -> Sample:
    rows = of.rows("train")[:examples]
    return trained(notebook.make_trainer(of, method, hyperparameters, rows=rows, output=output), examples)


def compare(of: Work, method: str, examples: int, rounds: int, output: Path) -> Comparison:
    """All sides with one method."""
    bench, hyperparameters = Workbench(of.task(), data_seed=0), point(method)
    few = examples // NOTEBOOK_SHARE
    ours(bench, method, hyperparameters, WARM_UP_EXAMPLES)
    sides: dict[str, Side] = {
        measure.OURS: partial(ours, bench, method, hyperparameters, examples),
        "Seq2SeqTrainer": partial(by_script, of, method, hyperparameters, examples, output),
        "notebook": partial(by_notebook, of, method, hyperparameters, few, output),
    }
    notes = {"examples": examples, "batch": hyperparameters["batch_size"], "precision": of.precision}
    return Comparison(method, "example", measure.in_turns(sides, rounds), AIMS, notes)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    work.add_options(parser)
    measure.add_options(parser, "training")
    parser.add_argument("--examples", type=int, help="of one epoch")
    options = parser.parse_args(arguments)
    rounds, examples = (
        options.rounds or (5 if options.full else 2),
        options.examples or (256 if options.full else 48),
    )
    torch.set_num_threads(1)
    logging.set_verbosity_error()
    with TemporaryDirectory() as folder:
        of = work.prepare(Path(folder), options, train=examples, validation=8)
        found = [compare(of, method, examples, rounds, Path(folder)) for method in options.methods]
    measure.tell("Training of one trial", found, options)


if __name__ == "__main__":
    main()
