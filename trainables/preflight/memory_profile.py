"""Peak memory of training steps on more and more examples: measured while quick, then extrapolated."""

import time
from collections.abc import Mapping
from typing import Any

from trainables.loop import FineTuning
from trainables.preflight.sample import Sample, longest
from trainables.workbench import Workbench

STEP_SECONDS = 2.0
"""Seconds: no step is tried that would take longer."""


class MemoryProfile:
    """The peak memory of a step on 1, 2, 4, ... examples in one forward pass, the longest first.

    The last is the largest batch of the space, or the micro-batches that the task itself asks for.
    """

    def __init__(self, bench: Workbench, method: str, costliest: Mapping[str, Any], room: int) -> None:
        self.room = room
        """Bytes that a step may take; no step is tried that is predicted to take more."""
        self.top = min(costliest["batch_size"], len(bench.data.train))
        self.top = min(self.top, bench.task.micro_batch_size or self.top)
        self.checkpointing = bench.task.gradient_checkpointing
        self.peaks: dict[int, int] = {}
        """Bytes, by examples; empty where the device does not tell."""
        sample = Sample(bench, longest(bench.data.train, self.top))
        lengths = [example.length for example in sample.encoded("train")]
        self.tokens = max(lengths)
        order = sorted(range(self.top), key=lengths.__getitem__, reverse=True)
        steps = [order[:size] for size in [1, *_doubled(self.top)]]
        hyperparameters = {**costliest, "batch_size": self.top, "warmup_ratio": 0.0}
        budget = self.top * len(steps)
        tuning = FineTuning(sample, method, hyperparameters, examples=budget, seed=0, micro_batch=self.top)
        tuning.plan = steps
        self.trained_bytes = sum(p.numel() * p.element_size() for p in tuning.parameters.values())
        try:
            tuning.advance(1)  # the optimiser makes its moments
            self._climb(tuning)
        finally:
            tuning.close()

    def predicted(self, examples: int) -> int:
        """Return the peak bytes at so many examples: measured, or on the line through the last two."""
        if examples in self.peaks:
            return self.peaks[examples]
        last = max(self.peaks)
        before = max((size for size in self.peaks if size < last), default=0)
        slope = (self.peaks[last] - self.peaks.get(before, 0)) / (last - before)
        return round(self.peaks[last] + slope * (examples - last))

    def _climb(self, tuning: FineTuning) -> None:
        for size in _doubled(self.top):
            if self.peaks and self.predicted(size) > self.room:
                return
            start = time.perf_counter()
            tuning.advance(size)
            if tuning.micro_batches.is_halved:  # it did not fit after all
                self.room = self.predicted(size) - 1
                return
            peak = tuning.meter.peak_memory_bytes
            if peak is None:
                return
            self.peaks[size] = peak
            if len(self.peaks) > 1 and 2 * (time.perf_counter() - start) > STEP_SECONDS:
                return


def _doubled(top: int) -> list[int]:
    """Yield 1, 2, 4, ... and `top` itself."""
    return [2**power for power in range(top.bit_length()) if 2**power < top] + [top]
