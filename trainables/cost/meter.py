"""Add up what a trial spends, across the processes in which it is resumed."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import torch

from trainables.cost import energy, memory
from trainables.cost.flops import FlopCounter

Seconds = Literal["startup_seconds", "train_seconds", "evaluation_seconds"]
Figures = dict[str, float | int | None]
"""Figure by a name that says its unit. None: could not be measured, and is not guessed."""


class Meter:
    """A trial's seconds by what they were spent on, its peak memory, its tokens, FLOPs and joules.

    On a GPU the peak is that of torch's memory. On a CPU it is the growth of the process's resident memory
    since the trial began, after releasing the memory of earlier trials.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.seconds: dict[str, float] = dict.fromkeys(
            ("startup_seconds", "train_seconds", "evaluation_seconds"), 0.0
        )
        self._counts = {"steps": 0, "examples": 0, "target_tokens": 0, "padded_tokens": 0}
        self._flops_per_token: float | None = None
        self._joules: float | None = 0.0
        self._earlier: Figures | None = None
        self._energy = energy.counter(device)
        self._peak = memory.peak(device)

    @contextmanager
    def spending(self, name: Seconds) -> Iterator[None]:
        """Add the block's seconds to `name`, including the device's pending work, and its joules."""
        start, joules = time.perf_counter(), self._energy.joules()
        try:
            with self._peak.watching():
                yield
        finally:
            if self.device.type == "cuda":
                torch.cuda.synchronize(self.device)
            self.seconds[name] += time.perf_counter() - start
            self._joules = _sum(self._joules, _difference(self._energy.joules(), joules))

    @contextmanager
    def counting_flops(self, padded_tokens: int) -> Iterator[None]:
        """Count the FLOPs of the first block that succeeds: the passes of a step over so many tokens.

        Later blocks are not counted: counting costs some milliseconds a pass.
        """
        if self._flops_per_token is not None:
            yield
            return
        with FlopCounter() as counter:
            yield
        self._flops_per_token = counter.total / padded_tokens

    def trained(self, *, examples: int, target_tokens: int, padded_tokens: int) -> None:
        """Record an optimiser step."""
        step = {"steps": 1, "examples": examples}
        for name, count in (step | {"target_tokens": target_tokens, "padded_tokens": padded_tokens}).items():
            self._counts[name] += count
        self._energy.keep_up()

    @property
    def peak_memory_bytes(self) -> int | None:
        """The trial's peak, including its earlier processes."""
        return self._highest("peak_memory_bytes", self._peak.allocated_bytes)

    def figures(self) -> Figures:
        """Return what was spent so far. FLOPs are those of one step, scaled by tokens, padding included."""
        seconds, counts = self.seconds["train_seconds"], self._counts
        work = None if self._flops_per_token is None else self._flops_per_token * counts["padded_tokens"]
        return {
            **self.seconds,
            "peak_memory_bytes": self.peak_memory_bytes,
            "peak_reserved_memory_bytes": self._highest(
                "peak_reserved_memory_bytes", self._peak.reserved_bytes
            ),
            "train_examples_per_second": _ratio(counts["examples"], seconds),
            "train_target_tokens_per_second": _ratio(counts["target_tokens"], seconds),
            "train_flops_per_step": None if work is None else _ratio(work, counts["steps"]),
            "train_flops": work,
            "energy_joules": self._joules,
        }

    def state(self) -> dict[str, Any]:
        """Return what a later process needs to continue the sums."""
        figures = self.figures()
        kept = (*self.seconds, "peak_memory_bytes", "peak_reserved_memory_bytes", "energy_joules")
        own = {name: figures[name] for name in kept}
        return {**own, "flops_per_token": self._flops_per_token, "counts": dict(self._counts)}

    def go_on_from(self, state: dict[str, Any]) -> None:
        """Continue the sums of an earlier process of the same trial."""
        for name in self.seconds:
            self.seconds[name] += state[name]
        for name in self._counts:
            self._counts[name] += state["counts"][name]
        self._flops_per_token = state["flops_per_token"]
        self._joules = _sum(self._joules, state["energy_joules"])
        self._earlier = state

    def _highest(self, name: str, own: int | None) -> int | None:
        if self._earlier is None or own is None:
            return own
        earlier = self._earlier[name]
        return None if earlier is None else max(own, int(earlier))


def _sum(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a + b


def _difference(later: float | None, earlier: float | None) -> float | None:
    return None if later is None or earlier is None else later - earlier


def _ratio(amount: float, of: float) -> float | None:
    return amount / of if of else None
