"""What the peers have in common: the model with a method on it, the metric, and how a point is suggested."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from optuna import Trial
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from peft import LoraConfig, PromptTuningConfig, get_peft_model
from rouge_score.rouge_scorer import RougeScorer
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

import spaces
from benchmarks.work import Work

ATTENTION = {"t5": ["q", "k", "v", "o"], "llama": ["q_proj", "k_proj", "v_proj", "o_proj"]}
"""The linear layers of attention, by the type of the model."""
ROUGE = ("rouge1", "rouge2", "rougeL", "rougeLsum")


def load_model(work: Work, method: str, point: Mapping[str, Any]) -> PreTrainedModel:
    """The pretrained model with the method's adapter on it, in float32."""
    loader = AutoModelForSeq2SeqLM if is_encoder_decoder(work) else AutoModelForCausalLM
    model = loader.from_pretrained(work.model, dtype=torch.float32)
    if method == "full":
        return model
    if method == "lora":
        return get_peft_model(model, _lora(model, point))
    return get_peft_model(model, _prompt_tuning(model, work, point))


def is_encoder_decoder(work: Work) -> bool:
    return AutoConfig.from_pretrained(work.model).is_encoder_decoder


def _lora(model: PreTrainedModel, point: Mapping[str, Any]) -> LoraConfig:
    targets = "all-linear" if point["targets"] == "all-linear" else ATTENTION[model.config.model_type]
    return LoraConfig(
        task_type=_task_type(model),
        r=point["rank"],
        lora_alpha=point["rank"] * point["alpha_ratio"],
        lora_dropout=point["dropout"],
        target_modules=targets,
    )


def _task_type(model: PreTrainedModel) -> str:
    return "SEQ_2_SEQ_LM" if model.config.is_encoder_decoder else "CAUSAL_LM"


def _prompt_tuning(model: PreTrainedModel, work: Work, point: Mapping[str, Any]) -> PromptTuningConfig:
    text = {"prompt_tuning_init_text": work.prompt.split("{")[0], "tokenizer_name_or_path": work.model}
    return PromptTuningConfig(
        task_type=_task_type(model),
        num_virtual_tokens=point["virtual_tokens"],
        num_transformer_submodules=1,
        **({"prompt_tuning_init": "TEXT", **text} if point["init"] == "text" else {}),
        **({"prompt_tuning_init": "SAMPLE_VOCAB"} if point["init"] == "vocab" else {}),
    )


def schedule(point: Mapping[str, Any]) -> dict[str, Any]:
    """The hyperparameters that every method has, as TrainingArguments call them."""
    return {
        "learning_rate": point["learning_rate"],
        "per_device_train_batch_size": point["batch_size"],
        "weight_decay": point["weight_decay"],
        "warmup_steps": point["warmup_ratio"],  # below 1 it is a share
        "lr_scheduler_type": point["schedule"],
    }


def rouge(predictions: Sequence[str], references: Sequence[str]) -> dict[str, float]:
    """Mean F1 over the documents, in points."""
    scorer = RougeScorer(ROUGE, use_stemmer=True)
    scores = [scorer.score(r, p) for p, r in zip(predictions, references, strict=True)]
    return {name: 100 * float(np.mean([score[name].fmeasure for score in scores])) for name in ROUGE}


def compute_metrics(tokenizer: PreTrainedTokenizerBase) -> Callable[[Any], dict[str, float]]:
    """ROUGE of a Trainer's predictions."""

    def scores(evaluation: Any) -> dict[str, float]:
        pad = tokenizer.pad_token_id
        texts = [np.where(ids < 0, pad, ids) for ids in (evaluation.predictions, evaluation.label_ids)]
        written, wanted = (tokenizer.batch_decode(ids, skip_special_tokens=True) for ids in texts)
        return rouge([text.strip() for text in written], wanted)

    return scores


def suggest(trial: Trial, method: str, prefix: str = "") -> dict[str, Any]:
    """A point of the method's space, over the same ranges as tuneoff's."""
    point: dict[str, Any] = {}
    for name, range_ in spaces.get(method).distributions.items():
        match range_:
            case CategoricalDistribution():
                point[name] = trial.suggest_categorical(prefix + name, range_.choices)
            case IntDistribution():
                point[name] = trial.suggest_int(prefix + name, range_.low, range_.high, log=range_.log)
            case FloatDistribution():
                point[name] = trial.suggest_float(prefix + name, range_.low, range_.high, log=range_.log)
    return point
