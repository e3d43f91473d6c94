"""What a GPU is asked to do, and waited for: in a training step, for a generated token, in an evaluation.

    python -m benchmarks.launches [--model FOLDER] [--methods lora] [--precision bf16]

Counted on the shadow of CUDA that the tests use (`tests/shadow_cuda.py`, which says how it differs from a
GPU), so that any machine can run it and none changes the counts: kernels, the casts among them, copies
between host and device, those from memory that is not pinned, and synchronisations, in which the host waits.

A step is the second of a trial, four examples with padding. A token is a quarter of what four more rows of
one token cost: the difference between generating `LONG` and `SHORT` tokens, divided by the steps between.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from transformers.utils import logging

from benchmarks import measure, work
from benchmarks.work import Work, point
from tests import tiny
from tests.shadow_cuda import ShadowCuda
from tests.shadow_device import Counts
from trainables.inference.generate import greedy
from trainables.loop import FineTuning
from trainables.workbench import Workbench

EXAMPLES = 4
SHORT, LONG = 9, 41
"""Tokens of an output: no output of random weights ends before."""
EVALUATED = 8
COLUMNS = ("kernels", "casts", "copies", "pageable", "synchronisations")


@dataclass(frozen=True)
class Case:
    """One method, model and precision, with the counts of each kind of work."""

    model: str
    method: str
    precision: str
    work: dict[str, dict[str, float]]
    """By what was done; then by column."""
    waits: dict[str, dict[str, int]]
    """The lines that made the host wait, by what was done."""


def count(of: Work, model: str, method: str) -> Case:
    """Train, generate and evaluate with a method on the shadow of a GPU."""
    hyperparameters = point(method, batch_size=EXAMPLES)
    with ShadowCuda() as device:
        bench = Workbench(of.task(), data_seed=0)
        tuning = FineTuning(bench, method, hyperparameters, examples=2 * EXAMPLES, seed=0)
        tuning.advance(EXAMPLES)  # its FLOPs are counted, and the optimiser's state is made
        with device.counting() as step:
            tuning.advance(EXAMPLES)
        short, long = (_generation(device, tuning, tokens) for tokens in (SHORT, LONG))
        tuning.evaluate("validation", EVALUATED)
        with device.counting() as evaluation:
            tuning.evaluate("validation", EVALUATED)
        tuning.close()
    token = {name: (_counts(long)[name] - value) / (LONG - SHORT) for name, value in _counts(short).items()}
    return Case(
        model,
        method,
        of.precision,
        {"step": _counts(step), "token": token, "evaluation": _counts(evaluation)},
        {
            name: dict(counts.by_line("synchronisation"))
            for name, counts in {"step": step, "generation": long, "evaluation": evaluation}.items()
        },
    )


def _generation(device: ShadowCuda, tuning: FineTuning, tokens: int) -> Counts:
    sources = [encoded.source for encoded in tuning.bench.encoded("validation")[:EXAMPLES]]
    with device.counting() as counts:
        written = greedy(tuning.base, tuning.model.eval(), sources, cap=tokens)
    assert {len(row) for row in written} == {tokens}, "an output ended early"
    return counts


def _counts(counts: Counts) -> dict[str, float]:
    copies = counts.of("copy to the device") + counts.of("copy to the host")
    casts = counts.by_operation("kernel")["_to_copy"]
    waits = counts.of("synchronisation")
    return dict(
        zip(COLUMNS, (counts.of("kernel"), casts, copies, counts.of("pageable copy"), waits), strict=True)
    )


def table(cases: Sequence[Case]) -> str:
    """One line a case and kind of work."""
    lines = [f"{'':<40}{''.join(f'{name:>18}' for name in COLUMNS)}"]
    for case in cases:
        for name, counts in case.work.items():
            told = f"{case.model} {case.precision} {case.method}, {name}"
            lines.append(f"{told:<40}{''.join(f'{counts[column]:>18.5g}' for column in COLUMNS)}")
    return "\n".join(lines) + "\n"


def works(of: Work, folder: Path, precisions: Sequence[str]) -> dict[tuple[str, str], Work]:
    """The work for each model and precision: the model that was asked for, and a Llama of two layers."""
    words = tiny.tokenizer("llama")
    llama = folder / "llama"
    words.save_pretrained(llama)
    tiny.random_model("llama", len(words), dropout=0.0).save_pretrained(llama)
    models = {"model": of.model, "llama": str(llama)}
    return {
        (name, precision): replace(of, model=path, precision=precision, max_target_tokens=LONG)
        for name, path in models.items()
        for precision in precisions
    }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    work.add_options(parser)
    parser.add_argument("--json", type=Path, default=Path("build/bench/launches.json"))
    options = parser.parse_args(arguments)
    precisions = ("fp32", "bf16") if options.precision == "auto" else (options.precision,)
    logging.set_verbosity_error()
    with TemporaryDirectory() as folder:
        of = work.prepare(Path(folder), options, train=2 * EXAMPLES, validation=EVALUATED)
        cases = [
            count(one, name, method)
            for (name, _), one in works(of, Path(folder), precisions).items()
            for method in options.methods
        ]
    sys.stdout.write(table(cases))
    measure.write(options, {"cases": [vars(case) for case in cases]})


if __name__ == "__main__":
    main()
