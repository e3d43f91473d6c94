"""Make the embedded model: train its tokenizer, then a small T5, on generated dialogues.

    python -m tools.pretraining.pretrain --minutes 60

The model learns to fill gaps in dialogues, to continue them and to copy from them; it never sees a
summary, so that there is something to adapt. Each exercise is set on a new dialogue, which is in no split
of seed 0 and holds no slot value that is kept for the test split. One core does it, and the budget is
processor time, so that other programs on the machine cost time but not quality. Needs torch 2.9 for Muon.
"""

from __future__ import annotations

import argparse
import json
import logging
import platform
import sys
import time
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from importlib.metadata import version
from itertools import islice
from math import cos, pi
from pathlib import Path
from random import Random
from typing import Any

import torch
from torch.nn.utils import clip_grad_norm_
from transformers.utils.logging import disable_progress_bar

from tools.pretraining.batching import BATCH, bucketed, collate
from tools.pretraining.exercises import SHARES, Example, make_example
from tools.pretraining.small_t5 import PEAK_LEARNING_RATES, make_optimizers, small_t5
from tools.pretraining.tokenizer import train_tokenizer
from trainables.embedded import MODEL
from trainables.embedded.dialogues import generate, stream

WARM_UP_SHARE = 0.04
"""Of the time budget; the learning rate then falls along a cosine to a hundredth."""
TOKENIZER_DIALOGUES = 5000
SAVE_EVERY_SECONDS = 200
HELD_BACK_BATCHES = 10
_LOGGER = logging.getLogger(__name__)


class Pretraining:
    """The model, its optimiser, its data and the log of what happened."""

    def __init__(
        self, *, minutes: float, seed: int, output: Path, tokenizer_dialogues: int = TOKENIZER_DIALOGUES
    ) -> None:
        torch.manual_seed(seed)
        self.seconds, self.output = 60 * minutes, output
        self.step, self.pieces, self.progress = 0, 0, 0.0
        self.tokenizer = train_tokenizer(islice(unshared_dialogues(f"tokenizer/{seed}"), tokenizer_dialogues))
        self.model = small_t5(self.tokenizer)
        self.optimizers = make_optimizers(self.model)
        self.batches = bucketed(self._examples(f"pretraining/{seed}"), Random(seed))
        held_back = self._examples(f"held back/{seed}")
        self.held_back = [collate(list(islice(held_back, BATCH))) for _ in range(HELD_BACK_BATCHES)]
        self.curve: list[dict[str, float]] = []
        self.log = _provenance(seed=seed, minutes=minutes) | {
            "parameters": self.model.num_parameters(),
            "tokenizer_dialogues": tokenizer_dialogues,
        }
        self.started, self.wall_start = time.process_time(), time.time()

    def run(self) -> None:
        """Train until the time is up; save now and then, so that a stopped run leaves a usable model."""
        next_save, losses = 0.0, []
        while (elapsed := self._elapsed()) < self.seconds:
            self.progress = elapsed / self.seconds
            losses.append(self._train(next(self.batches)))
            if elapsed >= next_save:
                self._record(losses)
                self.save(finished=False)
                next_save, losses = elapsed + SAVE_EVERY_SECONDS, []
        self._record(losses)
        self.save(finished=True)

    def save(self, *, finished: bool) -> None:
        """Model in bf16, tokenizer and log, in the form that ``from_pretrained`` loads."""
        deepcopy(self.model).bfloat16().save_pretrained(self.output)
        self.tokenizer.save_pretrained(self.output)
        log = {
            **self.log,
            "finished": finished,
            "processor_seconds": round(self._elapsed()),
            "wall_seconds": round(time.time() - self.wall_start),
            "steps": self.step,
            "examples": self.step * BATCH,
            "pieces": self.pieces,
            "curve": self.curve,
        }
        (self.output / "pretraining.json").write_text(json.dumps(log, indent=2) + "\n")

    def _train(self, batch: dict[str, torch.Tensor]) -> float:
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["peak_lr"] * learning_rate_share(self.progress)
        self.model.train()
        with torch.autocast("cpu", torch.bfloat16):
            loss = self.model(**batch).loss
        loss.backward()
        clip_grad_norm_(self.model.parameters(), 1.0)
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad()
        self.step += 1
        self.pieces += batch["input_ids"].numel() + batch["labels"].numel()
        return loss.item()

    @torch.no_grad()
    def _record(self, losses: list[float]) -> None:
        self.model.eval()
        with torch.autocast("cpu", torch.bfloat16):
            held_back = [self.model(**batch).loss.item() for batch in self.held_back]
        point = {
            "step": self.step,
            "processor_seconds": round(self._elapsed()),
            "loss": round(sum(losses) / max(1, len(losses)), 4),
            "held_back_loss": round(sum(held_back) / len(held_back), 4),
        }
        self.curve.append(point)
        _LOGGER.info("%s", json.dumps(point))

    def _elapsed(self) -> float:
        return time.process_time() - self.started

    def _examples(self, seed: str) -> Iterator[Example]:
        rng = Random(seed)
        for dialogue in unshared_dialogues(seed):
            yield make_example(dialogue, self.tokenizer, rng, part_share=part_share(self.progress))


def unshared_dialogues(seed: str) -> Iterator[str]:
    """Dialogues without end, none of them in a split of seed 0, none with a test split's slot value."""
    return (dialogue.text for dialogue, _ in stream(seed) if dialogue.text not in _shipped())


@cache
def _shipped() -> frozenset[str]:
    return frozenset(row["dialogue"] for rows in generate().values() for row in rows)


def part_share(progress: float) -> float:
    """How many exercises are set on a few turns only: first nearly all, at last a third.

    Copying is learned much sooner, and cheaper, on short texts.
    """
    return 0.95 - 0.6 * progress


def learning_rate_share(progress: float) -> float:
    """The share of the peak learning rate when ``progress`` of the time budget (0 to 1) is spent."""
    if progress < WARM_UP_SHARE:
        return 0.02 + 0.98 * progress / WARM_UP_SHARE
    return 0.01 + 0.99 * (1 + cos(pi * progress)) / 2


def _provenance(*, seed: int, minutes: float) -> dict[str, Any]:
    return {
        "command": " ".join(["python -m tools.pretraining.pretrain", *sys.argv[1:]]),
        "seed": seed,
        "minutes": minutes,
        "exercises": SHARES,
        "batch": BATCH,
        "peak_learning_rates": PEAK_LEARNING_RATES,
        "versions": {name: version(name) for name in ("torch", "transformers", "tokenizers")},
        "python": platform.python_version(),
        "threads": torch.get_num_threads(),
    }


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--minutes", type=float, default=60, help="processor time to train for (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of weights and data (default: %(default)s)")
    parser.add_argument("--output", type=Path, default=MODEL, help="folder to write (default: %(default)s)")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    disable_progress_bar()
    logging.basicConfig(level=logging.INFO)
    arguments.output.mkdir(parents=True, exist_ok=True)
    Pretraining(minutes=arguments.minutes, seed=arguments.seed, output=arguments.output).run()


if __name__ == "__main__":
    main()
