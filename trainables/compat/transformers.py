"""Every name of transformers that is not public, pinned to transformers 5 by `tests/test_compat.py`."""

from typing import Any


def next_model_kwargs(model: Any, outputs: Any, model_kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the inputs of the next step of generation: the grown cache, mask and positions."""
    kwargs: dict[str, Any] = model._update_model_kwargs_for_generation(
        outputs, model_kwargs, is_encoder_decoder=model.config.is_encoder_decoder
    )
    return kwargs


def attention_of(model: Any) -> str:
    """Return the name of the attention that the model computes, as in transformers' registries."""
    name: str = model.config._attn_implementation
    return name
