"""Find a model by its name without loading it, so that a wrong name is reported before anything starts."""

import json
from pathlib import Path
from typing import Any

from huggingface_hub import hf_hub_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

from trainables.errors import InputError
from trainables.task import Task

BREAKS_IN_FP16 = ("t5", "mt5", "umt5", "longt5")
"""Model types whose activations overflow fp16 (transformers issue 9295): their loss becomes NaN."""


def model_config(name: str) -> dict[str, Any]:
    """Read the model's `config.json` from a local folder, the hub's cache or the hub.

    Raises:
        InputError: there is no such model, or the hub cannot be reached; the message says what was tried.
    """
    folder = Path(name)
    if folder.is_dir():
        if not (folder / "config.json").is_file():
            raise InputError(f"task.model: the folder {folder} has no config.json, so it holds no model.")
        file = folder / "config.json"
    else:
        file = _download(name)
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"task.model: {file} cannot be read as JSON: {error}") from error
    if not isinstance(config, dict):
        raise InputError(f"task.model: {file} must hold a JSON object, as transformers writes it.")
    return config


def check_model(task: Task) -> None:
    """Raise InputError where the task's model cannot be found or cannot be trained as asked."""
    model_type = model_config(task.model_path).get("model_type")
    if task.precision == "fp16" and model_type in BREAKS_IN_FP16:
        raise InputError(
            f"task.precision: fp16 is refused for models of type {model_type}: their activations overflow it "
            "and the loss becomes NaN. Use bf16, fp32 or auto."
        )


def _download(name: str) -> Path:
    try:
        return Path(hf_hub_download(name, "config.json"))
    except (HFValidationError, HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise InputError(
            f"task.model: {name!r} was not found. Tried: the local folder {Path(name).absolute()} (absent), "
            f"the hub's cache and the hub ({type(error).__name__}).\n"
            "The hub may be unreachable, or HF_HUB_OFFLINE set; a private model needs HF_TOKEN."
        ) from error
