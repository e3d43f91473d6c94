"""A whole model of an adapter and the model under it. To import this takes all that a trial imports."""

from pathlib import Path

import torch
from peft import PeftModel
from peft.tuners.tuners_utils import BaseTuner
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoTokenizer
from transformers.utils import logging

from trainables.errors import InputError
from trainables.methods import Model
from trainables.task import Task


def merge(task: Task, adapter: Path, to: Path, *, is_encoder_decoder: bool) -> None:
    """Write to `to` the task's model in fp32, the weights of `adapter` merged into it, and its tokenizer.

    Raises:
        InputError: what the method trains is no part of any weight, or the model is quantised or needs code
            of its own, or cannot be found.
    """
    if task.quantize is not None:
        raise InputError(
            f"--merge: the model lay in {task.quantize} while it was scored; merged with what is stored it "
            f"would be another one, of which no score is known. {_INSTEAD}"
        )
    if task.trust_remote_code:
        raise InputError(
            f"--merge: {task.model} needs Python code of its own, and an export runs none that a run folder "
            f"names. {_INSTEAD}"
        )
    loader = AutoModelForSeq2SeqLM if is_encoder_decoder else AutoModelForCausalLM
    logging.disable_progress_bar()
    try:
        base = loader.from_pretrained(task.model_path, dtype=torch.float32)
        tokenizer = AutoTokenizer.from_pretrained(task.model_path)
    except OSError as error:
        raise InputError(f"--merge: {task.model} cannot be loaded: {error}") from error
    _merged(PeftModel.from_pretrained(base, str(adapter))).save_pretrained(to)
    tokenizer.save_pretrained(to)


_INSTEAD = "Leave --merge out: an adapter is exported, with a script that loads it."


def _merged(model: PeftModel) -> Model:
    tuner = model.base_model
    if not isinstance(tuner, BaseTuner):
        raise InputError(
            "--merge: the method trains tokens or keys that stand before a text, which no weight of the "
            f"model can hold. {_INSTEAD}"
        )
    return tuner.merge_and_unload()
