"""What the gates find: plain data, which a worker sends, the run folder keeps and the report prints."""

from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

GATES = (
    "worker",
    "targets",
    "precision",
    "packing",
    "gradients",
    "learns",
    "changes output",
    "reload",
    "speed",
    "restore",
    "lengths",
    "memory",
)
"""The gates in their order; the first is told only where a worker was lost before it could ask the others."""
Verdict = Literal["pass", "warn", "fail"]


@dataclass(frozen=True)
class Finding:
    """What one gate has to say: where it is no pass, the message says how to mend it."""

    verdict: Verdict
    message: str
    figures: dict[str, Any] = field(default_factory=dict)


class Gate(BaseModel):
    """A gate that was asked."""

    model_config = ConfigDict(frozen=True, extra="allow")

    name: str
    verdict: Verdict
    message: str
    """What was found, in a line, and how to mend it."""
    figures: dict[str, Any] = {}
    """What the verdict rests on, and more that was measured on the way; each key names its unit."""
    seconds: float = 0.0
    """What the gate itself took."""


class Findings(BaseModel):
    """All that one method's gates found. A gate that stands behind a failed one was not asked."""

    model_config = ConfigDict(frozen=True, extra="allow")

    gates: list[Gate]

    def figures(self, gate: str) -> dict[str, Any]:
        """What a gate measured; empty where it was not asked."""
        return next((asked.figures for asked in self.gates if asked.name == gate), {})

    @property
    def failed(self) -> bool:
        return any(gate.verdict == "fail" for gate in self.gates)

    @property
    def micro_batch(self) -> int | None:
        """Examples per forward pass that fit the device; None: the whole batch does."""
        micro_batch: int | None = self.figures("memory").get("micro_batch")
        return micro_batch
