"""Save and restore the random generators of the CPU and the device, so that work can be repeated."""

from collections.abc import Mapping

import torch
from torch import Tensor


class RandomState:
    """The state of torch's generators when this was made; `tensors` by the kind of device."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.tensors: dict[str, Tensor] = {"cpu": torch.get_rng_state()}
        if device.type != "cpu":
            self.tensors[device.type] = torch.get_device_module(device).get_rng_state(device)

    def restore(self, tensors: Mapping[str, Tensor] | None = None) -> None:
        """Set the generators back to this state, or to one that was saved on a machine of the same kind."""
        tensors = self.tensors if tensors is None else tensors
        torch.set_rng_state(tensors["cpu"])
        kind = self.device.type
        if kind != "cpu" and kind in tensors:
            torch.get_device_module(kind).set_rng_state(tensors[kind], self.device)
