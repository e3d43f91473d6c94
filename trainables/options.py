"""What a task's options require of the machine and of the model, checked before anything is loaded."""

from importlib.util import find_spec
from typing import Any

import torch
from transformers import BitsAndBytesConfig

from trainables.errors import InputError
from trainables.task import Task


def check_options(
    task: Task, device: torch.device, autocast: torch.dtype | None, *, is_encoder_decoder: bool
) -> None:
    """Raise InputError, with the key and the remedy, where an option cannot be had here.

    `autocast` is the dtype of matrix products, None where that is fp32.
    """
    if task.quantize is not None:
        _check_gpu(f"task.quantize: {task.quantize}", "null", device)
        _check_package(f"task.quantize: {task.quantize}", "bitsandbytes", "pip install 'tuneoff[quantize]'")
    if task.attention == "flash_attention_2":
        _check_gpu("task.attention: flash_attention_2", "auto", device)
        # Without the package transformers would look for a kernel on the hub and run that.
        _check_package("task.attention: flash_attention_2", "flash_attn", "pip install flash-attn")
        if autocast is None:
            raise InputError("task.attention: flash_attention_2 needs task.precision bf16 or fp16, not fp32.")
    if task.packing and is_encoder_decoder:
        raise InputError(
            "task.packing: only causal models can be packed; in an encoder-decoder each target would see "
            "every source of its row. Set it to false: batches of similar lengths hold little padding anyway."
        )


def loading_options(task: Task, device: torch.device) -> dict[str, Any]:
    """Return the arguments of transformers' `from_pretrained` that follow from them."""
    options: dict[str, Any] = {}
    if task.attention != "auto":
        options["attn_implementation"] = task.attention
    if task.quantize is not None:
        options["quantization_config"] = quantization()
        options["device_map"] = {"": device}
    return options


def quantization() -> BitsAndBytesConfig:
    """QLoRA's (Dettmers et al., 2023, arXiv 2305.14314): NF4, double quantisation, products in bf16."""
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )


def _check_gpu(asked: str, instead: str, device: torch.device) -> None:
    if device.type != "cuda":
        raise InputError(
            f"{asked} needs an NVIDIA GPU, and a trial sees none here. Run the sweep where there is one "
            f"(and resources.gpus_per_trial is not 0), or set it to {instead}."
        )


def _check_package(asked: str, package: str, remedy: str) -> None:
    if find_spec(package) is None:
        raise InputError(f"{asked} needs the package {package}, which is not installed here: {remedy}")
