"""Evaluation by generation: tuneoff, Seq2SeqTrainer.predict, and the notebook's loop over single dialogues.

    python -m benchmarks.evaluation [--full] [--model FOLDER] [--data FOLDER] [--precision bf16]

A model that was trained a little is scored on the same dialogues: text is generated greedily, decoded and
scored with ROUGE; tuneoff and `predict` also compute the loss. How many outputs are equal to tuneoff's token
for token is counted: in fp32, unless asked, for in bf16 a token depends on what it is batched with.
"""

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from peft import PeftModel
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer, DataCollatorForSeq2Seq, Seq2SeqTrainer
from transformers.utils import logging

from benchmarks import measure, work
from benchmarks.measure import Comparison, Sample, Side, timed
from benchmarks.peers import notebook
from benchmarks.peers.parts import compute_metrics, rouge
from benchmarks.peers.script import arguments, tokenize
from benchmarks.work import TARGET, Work, point
from trainables.inference.generate import greedy
from trainables.loop import FineTuning
from trainables.workbench import Workbench

AIMS = {"notebook": 15.0, "Seq2SeqTrainer": 1.3}
RATES = {"full": 1e-3, "lora": 3e-3, "prompt_tuning": 0.3}
"""Large ones: after a few steps outputs should end where summaries do."""


class Sides:
    """One trained model, evaluated in three ways; each keeps the tokens that it wrote last."""

    def __init__(self, of: Work, method: str, folder: Path) -> None:
        self.work = of
        self.rows = of.rows("validation")
        self.bench = Workbench(of.task(), data_seed=0)
        examples = len(self.bench.data.train)
        self.tuning = FineTuning(
            self.bench, method, point(method, learning_rate=RATES[method]), examples=examples, seed=0
        )
        self.tuning.advance(examples)
        self.tuning.base.export(self.tuning.model, folder / method)
        self.model = exported(of, method, folder / method).eval()
        self.tokenizer = AutoTokenizer.from_pretrained(of.model)
        self.output = folder
        self.tokens: dict[str, list[list[int]]] = {}

    def ours(self) -> Sample:
        with timed(len(self.rows)) as sample:
            self.tuning.evaluate("validation")
        return sample

    def trainer(self) -> Sample:
        """`predict` of a trainer that is ready, in batches of similar length."""
        trainer = Seq2SeqTrainer(
            model=self.model,
            args=arguments(self.work, str(self.output), train_sampling_strategy="random"),  # keeps the order
            data_collator=DataCollatorForSeq2Seq(self.tokenizer, model=self.model),
            processing_class=self.tokenizer,
            compute_metrics=compute_metrics(self.tokenizer),
        )
        dataset = tokenize(self.work, self.tokenizer, self.work.validation)
        order = np.argsort([-len(source) for source in dataset["input_ids"]])
        with timed(len(self.rows)) as sample:
            written = trainer.predict(dataset.select(order)).predictions
        self.tokens["Seq2SeqTrainer"] = [row[row >= 0].tolist() for row in written[np.argsort(order)]]
        return sample

    def notebook(self) -> Sample:
        with timed(len(self.rows)) as sample:
            written = notebook.generate(self.work, self.model, self.rows)
            texts = self.tokenizer.batch_decode(written, skip_special_tokens=True)
            rouge([text.strip() for text in texts], [row[TARGET] for row in self.rows])
        self.tokens["notebook"] = written
        return sample

    def equal(self) -> dict[str, int]:
        """How many outputs of each side are tuneoff's, token for token, up to the end of the text."""
        sources = [encoded.source for encoded in self.bench.encoded("validation")]
        base, model = self.bench.base, self.tuning.model.eval()
        mine = greedy(base, model, sources, cap=self.work.max_target_tokens)
        return {
            side: sum(self._text(a) == self._text(b[1:]) for a, b in zip(mine, theirs, strict=True))
            for side, theirs in self.tokens.items()
        }

    def _text(self, tokens: list[int]) -> list[int]:
        """Without what follows the end token."""
        end: int = self.tokenizer.eos_token_id
        return tokens[: tokens.index(end)] if end in tokens else tokens[: self.work.max_target_tokens]


def exported(of: Work, method: str, folder: Path) -> Any:
    """A trained model as anyone would load it."""
    if method == "full":
        return AutoModelForSeq2SeqLM.from_pretrained(folder, dtype=torch.float32)
    base = AutoModelForSeq2SeqLM.from_pretrained(of.model, dtype=torch.float32)
    return PeftModel.from_pretrained(base, str(folder))


def compare(of: Work, method: str, rounds: int, folder: Path) -> Comparison:
    """All sides with one method."""
    sides = Sides(of, method, folder)
    turns: dict[str, Side] = {
        measure.OURS: sides.ours,
        "Seq2SeqTrainer": sides.trainer,
        "notebook": sides.notebook,
    }
    samples = measure.in_turns(turns, rounds)
    count = len(sides.rows)
    notes = {"dialogues": count, "precision": of.precision} | {
        f"outputs equal to those of {side}": f"{equal} of {count}" for side, equal in sides.equal().items()
    }
    return Comparison(method, "dialogue", samples, AIMS, notes)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    work.add_options(parser)
    parser.set_defaults(precision="fp32")
    measure.add_options(parser, "evaluation")
    parser.add_argument("--examples", type=int, default=256, help="trained on before")
    parser.add_argument("--dialogues", type=int, help="scored")
    options = parser.parse_args(arguments)
    rounds, dialogues = (
        options.rounds or (3 if options.full else 1),
        options.dialogues or (256 if options.full else 48),
    )
    torch.set_num_threads(1)
    logging.set_verbosity_error()
    with TemporaryDirectory() as folder:
        of = work.prepare(Path(folder), options, train=options.examples, validation=dialogues)
        compared = partial(compare, of, rounds=rounds, folder=Path(folder))
        found = [compared(method) for method in options.methods]
    measure.tell("Evaluation by generation", found, options)


if __name__ == "__main__":
    main()
