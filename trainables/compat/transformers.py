"""Every name of transformers that is not public, pinned to transformers 5 by `tests/test_compat.py`."""

from typing import Any

from jinja2.sandbox import ImmutableSandboxedEnvironment
from transformers.utils import chat_template_utils


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


def render_chats_in(sandbox: type[ImmutableSandboxedEnvironment]) -> None:
    """Render chat templates in our sandbox: transformers names its own as a global of one module.

    Templates that were compiled before keep the sandbox that they have.
    """
    chat_template_utils.ImmutableSandboxedEnvironment = sandbox  # type: ignore[attr-defined]
