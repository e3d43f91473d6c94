"""What tuneoff's loop costs over a bare PyTorch loop that does the same steps, step beside step.

    python -m benchmarks.loop_overhead [--rounds 24] [--method full] [--model FOLDER] [--data FOLDER]

Both take the same batches in the same order: the bare loop a step, then tuneoff's, then the other way round.
The bare loop knows nothing but forward, backward, clipping, AdamW and its schedule, on a model with the same
kernels. Seconds are the processor's, medians of the pairs' ratios with a 95 % interval.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from peft import PeftModel
from scipy.stats import bootstrap
from transformers import AutoTokenizer, DataCollatorForSeq2Seq, get_scheduler
from transformers.utils import logging

from benchmarks import measure, work
from benchmarks.measure import Comparison, Sample, timed
from benchmarks.peers.parts import load_model
from benchmarks.work import SOURCE, TARGET, Work, point
from trainables.kernels import choose_kernels
from trainables.loop import FineTuning
from trainables.workbench import Workbench

AIM_PERCENT = 3.0
WARM_UP_STEPS = 4
BARE = "bare loop"


def bare_loop(
    of: Work, method: str, hyperparameters: dict[str, Any], plan: list[list[int]]
) -> Iterator[float]:
    """The loss of each step over the batches of `plan`, as a tutorial has it."""
    tokenizer = AutoTokenizer.from_pretrained(of.model)
    model = load_model(of, method, hyperparameters).train()
    core = model.get_base_model() if isinstance(model, PeftModel) else model
    choose_kernels(core, "auto")  # as tuneoff's model has them: the loops are compared
    collate = DataCollatorForSeq2Seq(tokenizer, model=model)
    rows = of.rows("train")
    sources = tokenizer([of.prompt.format(dialogue=row[SOURCE]) for row in rows])["input_ids"]
    targets = tokenizer(text_target=[row[TARGET] for row in rows])["input_ids"]
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(
        parameters,
        lr=hyperparameters["learning_rate"],
        weight_decay=hyperparameters["weight_decay"],
        fused=True,
    )
    schedule = get_scheduler(hyperparameters["schedule"], optimizer, 0, len(plan))
    for indices in plan:
        batch = collate([{"input_ids": sources[i], "labels": targets[i]} for i in indices])
        with torch.autocast("cpu", torch.bfloat16, of.precision == "bf16"):
            loss = model(**batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        yield loss.item()


def our_loop(tuning: FineTuning) -> Iterator[float]:
    """The loss of each step of tuneoff's loop."""
    for indices in tuning.plan:
        yield tuning.advance(len(indices))[0]


def compare(of: Work, method: str, rounds: int) -> Comparison:
    """Both loops over the same steps, with the processor's seconds of each."""
    hyperparameters, bench = point(method), Workbench(of.task(), data_seed=0)
    examples = (rounds + WARM_UP_STEPS) * hyperparameters["batch_size"]
    tuning = FineTuning(bench, method, hyperparameters, examples=examples, seed=0)
    loops = {measure.OURS: our_loop(tuning), BARE: bare_loop(of, method, hyperparameters, tuning.plan)}
    for loop in loops.values():
        for _ in range(WARM_UP_STEPS):
            next(loop)
    samples = measure.in_turns({name: lambda loop=loop: _step(loop) for name, loop in loops.items()}, rounds)
    tuning.close()
    one = Comparison(method, "step", samples)
    excess = 100 * (1 / np.array(one.cpu_ratios(BARE)) - 1)
    low, high = bootstrap((excess,), np.median, method="percentile", rng=0).confidence_interval
    one.notes = {
        "overhead": f"{np.median(excess):+.2f} % [{low:+.2f}, {high:+.2f}]",
        "aim below": f"{AIM_PERCENT:g} %",
        "batch": hyperparameters["batch_size"],
        "precision": of.precision,
    }
    return one


def _step(loop: Iterator[float]) -> Sample:
    with timed() as sample:
        next(loop)
    return sample


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    work.add_options(parser)
    measure.add_options(parser, "loop_overhead")
    options = parser.parse_args(arguments)
    rounds = options.rounds or (200 if options.full else 24)
    torch.set_num_threads(1)
    logging.set_verbosity_error()
    with TemporaryDirectory() as folder:
        of = work.prepare(Path(folder), options, train=512, validation=8)
        found = [compare(of, method, rounds) for method in options.methods]
    measure.tell("tuneoff's loop beside a bare one", found, options)


if __name__ == "__main__":
    main()
