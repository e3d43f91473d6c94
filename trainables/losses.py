"""The losses of training steps, read without keeping the device waiting."""

import math

import torch
from torch import Tensor


class Diverged(ArithmeticError):
    """The training loss is no longer finite."""


class Losses:
    """Read each step's loss when the step after it has been given to the device, which never runs dry so.

    On a CPU a loss is read at once: nothing is computed behind the host's back.
    """

    def __init__(self) -> None:
        self._read: dict[int, float] = {}
        self._unread: tuple[int, Tensor, torch.Event] | None = None

    def add(self, step: int, loss: Tensor) -> None:
        """Take note of the loss of a step, from 1; a step that is done again replaces what it had.

        Raises:
            Diverged: this loss, or on a device that of the step before, is not finite.
        """
        if loss.device.type == "cpu":
            self._note(step, loss)
            return
        if self._unread is not None and self._unread[0] != step:
            self._read_late()
        copy = loss.to("cpu", non_blocking=True)
        copied = torch.Event(loss.device)
        copied.record()
        self._unread = step, copy, copied

    def all(self) -> list[float]:
        """Return the losses of all steps in their order.

        Raises:
            Diverged: the last is not finite.
        """
        self._read_late()
        return list(self._read.values())

    def _read_late(self) -> None:
        if self._unread is not None:
            step, copy, copied = self._unread
            self._unread = None
            copied.synchronize()
            self._note(step, copy)

    def _note(self, step: int, loss: Tensor) -> None:
        value = loss.item()
        if not math.isfinite(value):
            raise Diverged(f"The training loss became {value} at step {step}.")
        self._read[step] = value
