"""What a user of transformers writes: `Trainer.hyperparameter_search` with Optuna, a search for each method.

    python -m benchmarks.peers.hp_search WORK.json --trials 8 --epochs 3 --folder runs

Optuna's own median pruner stops trials; one trial runs at a time, with all CPUs.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import optuna
from transformers import AutoTokenizer, DataCollatorForSeq2Seq, PreTrainedModel, Seq2SeqTrainer
from transformers.trainer_utils import BestRun

from benchmarks.peers.parts import compute_metrics, load_model, schedule, suggest
from benchmarks.peers.script import arguments, tokenize
from benchmarks.work import METHODS, Work, point


def search(work: Work, method: str, folder: Path, *, trials: int, epochs: int) -> BestRun:
    """The best of `trials` points of one method."""

    def model_init(trial: optuna.Trial | None) -> PreTrainedModel:
        return load_model(work, method, suggest(trial, method) if trial else point(method))

    def hp_space(trial: optuna.Trial) -> dict[str, Any]:
        return schedule(suggest(trial, method))

    tokenizer = AutoTokenizer.from_pretrained(work.model)
    trainer = Seq2SeqTrainer(
        model_init=model_init,
        args=arguments(work, str(folder), num_train_epochs=epochs, eval_strategy="epoch"),
        train_dataset=tokenize(work, tokenizer, work.train),
        eval_dataset=tokenize(work, tokenizer, work.validation),
        data_collator=DataCollatorForSeq2Seq(tokenizer),
        processing_class=tokenizer,
        compute_metrics=compute_metrics(tokenizer),
    )
    return trainer.hyperparameter_search(
        hp_space=hp_space,
        compute_objective=lambda metrics: metrics["eval_rougeL"],
        n_trials=trials,
        direction="maximize",
        backend="optuna",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("--trials", type=int, default=8)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path("runs"))
    parser.add_argument("--methods", nargs="+", default=METHODS)
    options = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    for method in options.methods:
        best = search(
            Work.read(options.work), method, options.folder, trials=options.trials, epochs=options.epochs
        )
        sys.stdout.write(f"{method}: best {best.objective:.2f}\n")


if __name__ == "__main__":
    main()
