"""The work that both sides of a benchmark do: model, data and prompt, as files that any program can read."""

import argparse
import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any, Literal

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoTokenizer

import spaces
from trainables import embedded
from trainables.data_source import DataFiles
from trainables.device import own_device
from trainables.model import precision_on
from trainables.task import Task

METHODS = ("full", "lora", "prompt_tuning")
SOURCE, TARGET = "dialogue", "summary"
PROMPT = "Summarize the following conversation.\n\n{dialogue}\n\nSummary: "
FILES = {"train": ("train",), "validation": ("validation", "dev")}
"""By these names the splits lie in a folder of data, as jsonl."""
Row = dict[str, str]


@dataclass(frozen=True)
class Work:
    """What is the same for both sides. No example is longer than the limits: nobody has to cut."""

    model: str
    """A folder, as transformers reads it."""
    train: str
    """A jsonl file with the columns `dialogue` and `summary`."""
    validation: str
    precision: Literal["fp32", "bf16"]
    """Of matrix products; weights are fp32."""
    prompt: str = PROMPT
    max_source_tokens: int = 512
    max_target_tokens: int = 128

    def rows(self, split: Literal["train", "validation"]) -> list[Row]:
        with Path(getattr(self, split)).open(encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]

    def task(self) -> Task:
        """The work as tuneoff is told of it; what is tested on is not of interest here."""
        files = DataFiles(train=self.train, validation=self.validation, test=self.validation)
        return Task(
            model=self.model,
            data=files,
            source=SOURCE,
            target=TARGET,
            prompt=self.prompt,
            max_source_tokens=self.max_source_tokens,
            max_target_tokens=self.max_target_tokens,
            precision=self.precision,
        )

    def write(self, file: Path) -> Path:
        file.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")
        return file

    @classmethod
    def read(cls, file: str | Path) -> "Work":
        return cls(**json.loads(Path(file).read_text(encoding="utf-8")))


def point(method: str, **changes: Any) -> dict[str, Any]:
    """The hyperparameters with which a method is measured: its default, unless changed."""
    return {**spaces.get(method).default, **changes}


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that say what the work is made of."""
    parser.add_argument("--model", default="embedded", help="a folder; without weights, they are random")
    parser.add_argument("--data", default="embedded", help="a folder with train.jsonl and dev.jsonl")
    parser.add_argument("--precision", choices=("auto", "fp32", "bf16"), default="auto")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS)


def prepare(folder: Path, options: argparse.Namespace, *, train: int, validation: int) -> Work:
    """Write into `folder` what `options` name: so many examples of each split, drawn with seed 0."""
    model = _model(options.model, folder)
    splits = _splits(options.data)
    limits = Work(model, "", "", "fp32")
    files = {}
    for split, count in {"train": train, "validation": validation}.items():
        chosen = _fitting(splits[split], limits, count)
        files[split] = str(folder / f"{split}.jsonl")
        Path(files[split]).write_text("".join(json.dumps(row) + "\n" for row in chosen), encoding="utf-8")
    precision = precision_on(own_device(), options.precision)
    return Work(model, files["train"], files["validation"], precision)


def _model(name: str, folder: Path) -> str:
    """A model's folder; of one that has no weights a copy with random ones."""
    if name == "embedded":
        return str(embedded.MODEL)
    if list(Path(name).glob("*.safetensors")):
        return name
    made, config = folder / "model", AutoConfig.from_pretrained(name)
    loader = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
    torch.manual_seed(0)
    loader.from_config(config).save_pretrained(made)
    AutoTokenizer.from_pretrained(name).save_pretrained(made)
    return str(made)


def _splits(data: str) -> dict[str, list[Row]]:
    if data == "embedded":
        generated = embedded.generate()
        return {split: generated[split] for split in FILES}
    found = {
        split: next(file for name in names if (file := Path(data) / f"{name}.jsonl").exists())
        for split, names in FILES.items()
    }
    return {
        split: [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        for split, file in found.items()
    }


def _fitting(rows: list[Row], limits: Work, count: int) -> list[Row]:
    """`count` rows that need no cutting, in random order, with the columns that are used."""
    tokenizer = AutoTokenizer.from_pretrained(limits.model, model_max_length=math.inf)
    chosen: list[Row] = []
    for row in Random(0).sample(rows, len(rows)):
        if len(chosen) == count:
            break
        source = len(tokenizer(limits.prompt.format(dialogue=row[SOURCE]))["input_ids"])
        target = len(tokenizer(text_target=row[TARGET])["input_ids"])
        if source <= limits.max_source_tokens and target <= limits.max_target_tokens:
            chosen.append({SOURCE: row[SOURCE], TARGET: row[TARGET]})
    assert len(chosen) == count, f"there are only {len(chosen)} examples that fit"
    return chosen
