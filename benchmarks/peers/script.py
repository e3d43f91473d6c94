"""What a user of Ray Tune writes: a function trainable with Seq2SeqTrainer, OptunaSearch, one ASHA for all.

    python -m benchmarks.peers.script WORK.json --trials 24 --epochs 3 --folder runs

Dynamic padding, batches grouped by length, evaluation by generation. The method is one more hyperparameter.
"""

import argparse
import logging
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import optuna
import ray
import torch
from datasets import Dataset, load_dataset
from datasets.utils.logging import disable_progress_bar
from ray import tune
from ray.tune.schedulers import ASHAScheduler
from ray.tune.search.optuna import OptunaSearch
from transformers import (
    AutoTokenizer,
    DataCollatorForSeq2Seq,
    PreTrainedTokenizerBase,
    Seq2SeqTrainer,
    Seq2SeqTrainingArguments,
    TrainerCallback,
)

from benchmarks.peers.parts import compute_metrics, is_encoder_decoder, load_model, schedule, suggest
from benchmarks.work import METHODS, Work

REDUCTION_FACTOR = 3


def tokenize(work: Work, tokenizer: PreTrainedTokenizerBase, file: str) -> Dataset:
    """A split with its tokens, not padded."""
    is_causal = not is_encoder_decoder(work)

    def encode(batch: dict[str, list[str]]) -> dict[str, list[list[int]]]:
        prompts = [work.prompt.format(dialogue=dialogue) for dialogue in batch["dialogue"]]
        encoded = tokenizer(prompts, truncation=True, max_length=work.max_source_tokens)
        targets = tokenizer(text_target=batch["summary"], truncation=True, max_length=work.max_target_tokens)
        encoded["labels"] = targets["input_ids"]
        return joined(encoded["input_ids"], encoded["labels"]) if is_causal else encoded

    disable_progress_bar()
    rows = load_dataset("json", data_files=file, split="train")
    return rows.map(encode, batched=True, remove_columns=["dialogue", "summary"])


def joined(sources: list[list[int]], targets: list[list[int]]) -> dict[str, list[list[int]]]:
    """Rows of a causal model: source without its end token, then target, of which alone the loss is."""
    sources = [source[:-1] for source in sources]
    rows = [source + target for source, target in zip(sources, targets, strict=True)]
    return {
        "input_ids": rows,
        "attention_mask": [[1] * len(row) for row in rows],
        "labels": [[-100] * len(s) + t for s, t in zip(sources, targets, strict=True)],
    }


def make_trainer(
    work: Work,
    method: str,
    point: Mapping[str, Any],
    *,
    output: str,
    callbacks: Sequence[TrainerCallback] = (),
    **options: Any,
) -> Seq2SeqTrainer:
    """A Seq2SeqTrainer; `options` are further training arguments."""
    tokenizer = AutoTokenizer.from_pretrained(work.model)
    model = load_model(work, method, point)
    return Seq2SeqTrainer(
        model=model,
        args=arguments(work, output, **schedule(point), **options),
        train_dataset=tokenize(work, tokenizer, work.train),
        eval_dataset=tokenize(work, tokenizer, work.validation),
        data_collator=DataCollatorForSeq2Seq(tokenizer, model=model),
        processing_class=tokenizer,
        compute_metrics=compute_metrics(tokenizer),
        callbacks=list(callbacks),
    )


def arguments(work: Work, output: str, **options: Any) -> Seq2SeqTrainingArguments:
    """The settings of a user who knows them: little padding, evaluation by generation in larger batches."""
    usual = {
        "train_sampling_strategy": "group_by_length",
        "predict_with_generate": True,
        "generation_max_length": work.max_target_tokens + 1,  # with the token that the decoder starts from
        "generation_num_beams": 1,
        "per_device_eval_batch_size": 32,
        "bf16": work.precision == "bf16",
        "use_cpu": not torch.cuda.is_available(),
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
    }
    return Seq2SeqTrainingArguments(output_dir=output, **usual | options)


class Report(TrainerCallback):
    """Tells Tune of every evaluation."""

    def on_evaluate(
        self, args: Any, state: Any, control: Any, metrics: dict[str, float], **rest: Any
    ) -> None:
        tune.report({"rougeL": metrics["eval_rougeL"], "loss": metrics["eval_loss"]})


def trainable(config: dict[str, Any]) -> None:
    """One trial: it is scored after each epoch."""
    work = Work(**config["work"])
    method = config["method"]
    trainer = make_trainer(
        work,
        method,
        config[method],  # Tune makes `lora/rank` a dictionary in a dictionary
        output="trainer",
        callbacks=[Report()],
        num_train_epochs=config["epochs"],
        eval_strategy="epoch",
    )
    trainer.train()


def space(trial: optuna.Trial, *, work: Work, epochs: int, methods: tuple[str, ...]) -> dict[str, Any]:
    """A method, and a point of its space; Tune pickles it, so it stands here."""
    suggest(trial, method := trial.suggest_categorical("method", methods), f"{method}/")
    return {"work": asdict(work), "epochs": epochs}


class Print(tune.Callback):
    """Shows each result as it comes."""

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **_: Any
    ) -> None:
        sys.stdout.write(f"result of {trial.config['method']}: {result['rougeL']:.2f}\n")
        sys.stdout.flush()


def run(
    work: Work, folder: Path, *, trials: int, epochs: int, methods: Sequence[str] = METHODS
) -> tune.ResultGrid:
    """A search over the methods, with as many trials at a time as there are CPUs."""
    searched = partial(space, work=work, epochs=epochs, methods=tuple(methods))
    tuner = tune.Tuner(
        tune.with_resources(trainable, {"cpu": 1, "gpu": 1 if torch.cuda.is_available() else 0}),
        tune_config=tune.TuneConfig(
            metric="rougeL",
            mode="max",
            search_alg=OptunaSearch(searched, metric="rougeL", mode="max"),
            scheduler=ASHAScheduler(max_t=epochs, grace_period=1, reduction_factor=REDUCTION_FACTOR),
            num_samples=trials,
        ),
        run_config=tune.RunConfig(
            name="script", storage_path=str(folder.resolve()), callbacks=[Print()], verbose=0
        ),
    )
    return tuner.fit()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("--trials", type=int, default=24)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path("runs"))
    parser.add_argument("--methods", nargs="+", default=METHODS)
    options = parser.parse_args()
    ray.init(include_dashboard=False, logging_level=logging.ERROR, log_to_driver=False)
    results = run(
        Work.read(options.work),
        options.folder,
        trials=options.trials,
        epochs=options.epochs,
        methods=options.methods,
    )
    best = results.get_best_result()
    sys.stdout.write(
        f"{len(results)} trials, {results.num_errors} failed; best {best.metrics['rougeL']:.2f}\n"
    )
    ray.shutdown()


if __name__ == "__main__":
    main()
