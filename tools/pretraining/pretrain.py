"""Make the embedded model: train its tokenizer, then a small T5, on generated dialogues.

    python -m tools.pretraining.pretrain --minutes 60 --output candidate
    python -m tools.pretraining.pretrain --minutes 60 --output better --from candidate

The model learns to copy from dialogues, to note what they tell and to report it; it never sees a
summary, so that there is something to adapt. Each exercise is set on a new dialogue, which is in no split
of seed 0 and holds no slot value that is kept for the test split. One core does it, and the budget is
processor time, so that other programs on the machine cost time but not quality. Needs torch 2.9 for Muon.

A run goes on `--from` any model that this script wrote, the shipped one too: from its weights, and from its
optimiser where `training.pt` is still beside them. The rate stays at its peak until the last part of the
budget, so that a run that is cut off has lost nothing but that part.
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
from pathlib import Path
from random import Random
from typing import Any

import torch
from torch.nn.utils import clip_grad_norm_
from transformers import AutoTokenizer, T5ForConditionalGeneration
from transformers.utils.logging import disable_progress_bar

from tools.pretraining.batching import BATCH, bucketed, collate
from tools.pretraining.exercises import SHARES, Example, exercise_texts, make_example
from tools.pretraining.small_t5 import (
    PEAK_LEARNING_RATES,
    SHIPPED_SCALE,
    make_optimizers,
    scale_weights,
    small_t5,
)
from tools.pretraining.tokenizer import train_tokenizer
from trainables.embedded.dialogues import Dialogue, generate, stream

WARM_UP_SECONDS = 40
"""Of processor time, wherever there is no optimiser to go on with."""
DECAY_SHARE = 0.25
"""Of the time budget: the learning rate falls to zero along a line at the end (arXiv 2405.18392)."""
CHECKPOINT = "training.pt"
"""Beside the model: weights in fp32 and the optimisers' state. It is not shipped."""
TOKENIZER_DIALOGUES = 5000
LOG = "pretraining.json"
SAVE_EVERY_SECONDS = 100
SHORT_STEPS = 1500
"""Steps in which short texts give way to whole dialogues."""
HELD_BACK_BATCHES = 10
_LOGGER = logging.getLogger(__name__)


class Pretraining:
    """The model, its optimiser, its data and the log of what happened."""

    def __init__(
        self,
        *,
        minutes: float,
        seed: int,
        output: Path,
        earlier: Path | None = None,
        decay_share: float = DECAY_SHARE,
        tokenizer_dialogues: int = TOKENIZER_DIALOGUES,
    ) -> None:
        torch.manual_seed(seed)
        self.seconds, self.output, self.decay_share = 60 * minutes, output, decay_share
        self.step, self.pieces, self.warm_up = 0, 0, float(WARM_UP_SECONDS)
        self.log: dict[str, Any] = _provenance(seed=seed, minutes=minutes)
        if earlier is None:
            dialogues = islice(unshared_dialogues(f"tokenizer/{seed}"), tokenizer_dialogues)
            self.tokenizer = train_tokenizer(exercise_texts(dialogues, Random(seed)))
            self.model = small_t5(self.tokenizer)
            self.log |= {"tokenizer_dialogues": tokenizer_dialogues, "earlier": []}
        else:
            self.tokenizer = AutoTokenizer.from_pretrained(earlier)
            self.model = T5ForConditionalGeneration.from_pretrained(earlier, dtype=torch.float32)
            log = json.loads((earlier / LOG).read_text())
            scale_weights(self.model, 1 / log["scale"])
            self.log |= {"tokenizer_dialogues": log["tokenizer_dialogues"]}
            self.log |= {"earlier": [*log.pop("earlier"), log]}
        self.log["parameters"] = self.model.num_parameters()
        self.optimizers = make_optimizers(self.model)
        if earlier is not None and (earlier / CHECKPOINT).exists():
            self._load(torch.load(earlier / CHECKPOINT))
        part = len(self.log["earlier"])
        self.batches = bucketed(self._examples(f"pretraining/{seed}/{part}"), Random(seed))
        held_back = self._examples(f"held back/{seed}", part_share=0.35)
        self.held_back = [collate(list(islice(held_back, BATCH))) for _ in range(HELD_BACK_BATCHES)]
        self.curve: list[dict[str, float]] = []
        self.started, self.wall_start = time.process_time(), time.time()

    def _load(self, state: dict[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        for optimizer, moments in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(moments)
        self.warm_up = 0.0

    def run(self) -> None:
        """Train until the time is up; save now and then, so that a stopped run leaves a usable model."""
        next_save, losses = 0.0, []
        while (elapsed := self._elapsed()) < self.seconds:
            losses.append(self._train(next(self.batches)))
            if elapsed >= next_save:
                self._record(losses)
                self.save(finished=False)
                next_save, losses = elapsed + SAVE_EVERY_SECONDS, []
        self._record(losses)
        self.save(finished=True)

    def save(self, *, finished: bool) -> None:
        """Model in bf16, tokenizer and log, in the form that ``from_pretrained`` loads."""
        shipped = deepcopy(self.model).bfloat16()
        scale_weights(shipped, SHIPPED_SCALE)
        shipped.save_pretrained(self.output)
        self.tokenizer.save_pretrained(self.output)
        state = {"model": self.model.state_dict(), "optimizers": [o.state_dict() for o in self.optimizers]}
        torch.save(state, self.output / CHECKPOINT)
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
        (self.output / LOG).write_text(json.dumps(log, indent=2) + "\n")

    def _train(self, batch: dict[str, torch.Tensor]) -> float:
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["peak_lr"] * self._rate()
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

    def _rate(self) -> float:
        return learning_rate_share(
            self._elapsed(), self.seconds, warm_up=self.warm_up, decay_share=self.decay_share
        )

    def _examples(self, seed: str, part_share: float | None = None) -> Iterator[Example]:
        rng = Random(seed)
        for dialogue in unshared_dialogues(seed):
            share = self._part_share() if part_share is None else part_share
            yield make_example(dialogue, self.tokenizer, rng, part_share=share)

    def _part_share(self) -> float:
        """How many exercises are set on a few turns only: first nearly all, in the end a third.

        Copying is learned much sooner, and cheaper, on short texts.
        """
        return max(0.35, 0.95 - 0.6 * self.step / SHORT_STEPS) if not self.log["earlier"] else 0.35


def unshared_dialogues(seed: str) -> Iterator[Dialogue]:
    """Dialogues without end, none of them in a split of seed 0, none with a test split's slot value."""
    return (dialogue for dialogue, _ in stream(seed) if dialogue.text not in _shipped())


@cache
def _shipped() -> frozenset[str]:
    return frozenset(row["dialogue"] for rows in generate().values() for row in rows)


def learning_rate_share(elapsed: float, seconds: float, *, warm_up: float, decay_share: float) -> float:
    """The share of the peak learning rate after `elapsed` of `seconds` of processor time."""
    rising = min(1.0, 0.02 + elapsed / warm_up) if warm_up else 1.0
    falling = min(1.0, (1 - elapsed / seconds) / decay_share) if decay_share else 1.0
    return max(0.0, min(rising, falling))


def _provenance(*, seed: int, minutes: float) -> dict[str, Any]:
    return {
        "command": " ".join(["python -m tools.pretraining.pretrain", *sys.argv[1:]]),
        "seed": seed,
        "minutes": minutes,
        "exercises": SHARES,
        "batch": BATCH,
        "scale": SHIPPED_SCALE,
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
    parser.add_argument(
        "--from", type=Path, dest="earlier", help="folder of a model that is to be trained further"
    )
    parser.add_argument(
        "--decay-share",
        type=float,
        default=DECAY_SHARE,
        help="of the budget, at its end, in which the learning rate falls (default: %(default)s)",
    )
    parser.add_argument("--seed", type=int, default=0, help="of weights and data (default: %(default)s)")
    parser.add_argument(
        "--output",
        type=Path,
        required=True,
        help=f"folder to write; all but {CHECKPOINT} of it can be shipped",
    )
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    disable_progress_bar()
    logging.basicConfig(level=logging.INFO)
    arguments.output.mkdir(parents=True, exist_ok=True)
    Pretraining(**vars(arguments)).run()


if __name__ == "__main__":
    main()
