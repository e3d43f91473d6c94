"""What methods from peft have in common: the wrapper, and numbers that the trial's seed decides."""

import torch
from peft import PeftConfig, PeftModel, get_peft_model
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D


def wrap(model: PreTrainedModel, config: PeftConfig) -> PeftModel:
    """`model` with the adapter that `config` describes, for the kind of model that it is."""
    config.task_type = "SEQ_2_SEQ_LM" if model.config.is_encoder_decoder else "CAUSAL_LM"
    if hasattr(config, "fan_in_fan_out"):  # how GPT-2's own kind of linear layer keeps its weights
        config.fan_in_fan_out = any(isinstance(part, Conv1D) for part in model.modules())
    attached = get_peft_model(model, config)
    if config.is_prompt_learning:
        _keep_in_fp32(attached)
    return attached


def _keep_in_fp32(attached: PeftModel) -> None:
    """Take what makes the prompt out of autocast: peft exports the prompt that it makes in full precision."""
    for maker in attached.prompt_encoder.values():
        maker.forward = torch.autocast(attached.device.type, enabled=False)(maker.forward)


def draw() -> int:
    """A seed for what a method draws; kept in the adapter's configuration, it draws the same again."""
    return int(torch.randint(2**31, ()).item())
