"""The pipeline of a much copied notebook: all padded to 512, Trainer, generation one dialogue at a time.

Its mistake, to train on the padding of the labels too, is not repeated: it changes the loss, not the time.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import (
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from benchmarks.peers.parts import load_model, schedule
from benchmarks.work import Row, Work

LENGTH = 512


def make_trainer(
    work: Work,
    method: str,
    point: Mapping[str, Any],
    *,
    rows: Sequence[Row],
    output: Path,
    callbacks: Sequence[TrainerCallback] = (),
) -> Trainer:
    """A Trainer for one epoch over `rows`."""
    tokenizer = AutoTokenizer.from_pretrained(work.model)
    arguments = TrainingArguments(
        output_dir=str(output),
        num_train_epochs=1,
        bf16=work.precision == "bf16",
        use_cpu=not torch.cuda.is_available(),
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        **schedule(point),
    )
    return Trainer(
        model=load_model(work, method, point),
        args=arguments,
        train_dataset=tokenize(work, tokenizer, rows),
        callbacks=list(callbacks),
    )


def tokenize(work: Work, tokenizer: PreTrainedTokenizerBase, rows: Sequence[Row]) -> Dataset:
    """Sources and labels as lists of 512 tokens."""
    padded = {"padding": "max_length", "truncation": True, "max_length": LENGTH}

    def encode(batch: dict[str, list[str]]) -> dict[str, list[list[int]]]:
        prompts = [work.prompt.format(dialogue=dialogue) for dialogue in batch["dialogue"]]
        encoded = tokenizer(prompts, **padded)
        labels = tokenizer(text_target=batch["summary"], **padded)["input_ids"]
        pad = tokenizer.pad_token_id
        encoded["labels"] = [[token if token != pad else -100 for token in row] for row in labels]
        return encoded

    return Dataset.from_list(list(rows)).map(encode, batched=True, remove_columns=["dialogue", "summary"])


def generate(work: Work, model: PreTrainedModel, rows: Sequence[Row]) -> list[list[int]]:
    """The tokens that the model writes for each dialogue, one after the other."""
    tokenizer = AutoTokenizer.from_pretrained(work.model)
    model.eval()
    outputs = []
    for row in rows:
        inputs = tokenizer(work.prompt.format(dialogue=row["dialogue"]), return_tensors="pt").to(model.device)
        with torch.no_grad(), torch.autocast(model.device.type, torch.bfloat16, work.precision == "bf16"):
            written = model.generate(
                **inputs, max_new_tokens=work.max_target_tokens, do_sample=False, num_beams=1
            )
        outputs.append(written[0].tolist())
    return outputs
