"""LoRA's layers with fewer kernels: the product with B adds the update to what the frozen layer returns."""

from typing import Any

from peft.tuners.lora import Linear
from torch import Tensor, nn

from trainables.methods import Model


class LoraForward:
    """The forward pass of one layer of LoRA, `W x + B A x`, by a copy of B that has the scale in it.

    peft multiplies `B A x` by the scale and adds it to `W x`: two kernels more each way, over all outputs.
    Without a copy, merged or switched off, the pass is peft's.
    """

    def __init__(self, layer: Any) -> None:
        (adapter,) = layer.active_adapters
        self.layer = layer
        self.down: nn.Linear = layer.lora_A[adapter]
        self.up: nn.Linear = layer.lora_B[adapter]
        self.dropout: nn.Module = layer.lora_dropout[adapter]
        self.scale: float = layer.scaling[adapter]
        self.scaled: Tensor | None = None

    def use(self, scaled: Tensor | None) -> None:
        self.scaled = scaled

    def __call__(self, states: Tensor, *args: Any, **options: Any) -> Tensor:
        layer = self.layer
        if self.scaled is None or layer.merged or layer.disable_adapters or options:
            output: Tensor = type(layer).forward(layer, states, *args, **options)
            return output
        rows = states.flatten(0, -2)
        low = self.down(self.dropout(rows))
        return layer.base_layer(rows).addmm_(low, self.scaled.T).unflatten(0, states.shape[:-1])


def fuse_lora(model: Model) -> list[LoraForward]:
    """Have the plain LoRA layers of a model compute by `LoraForward`; return these."""
    layers = [layer for layer in model.modules() if type(layer) is Linear and _is_plain(layer)]
    forwards = [LoraForward(layer) for layer in layers]
    for forward in forwards:
        forward.layer.forward = forward
    return forwards


def _is_plain(layer: Linear) -> bool:
    ups = [layer.lora_B[adapter] for adapter in layer.active_adapters]
    return len(ups) == 1 and ups[0].bias is None and not layer.lora_variant
