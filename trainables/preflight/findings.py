"""What the checks find: plain data, which a worker sends, the run folder keeps and the report prints."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

Verdict = Literal["pass", "warn", "fail"]


@dataclass(frozen=True)
class Finding:
    """What one check has to say: where it is no pass, the message says how to mend it."""

    verdict: Verdict
    message: str
    figures: dict[str, Any] = field(default_factory=dict)


class Check(BaseModel):
    """A preflight check that was asked."""

    model_config = ConfigDict(frozen=True, extra="allow")

    name: str
    verdict: Verdict
    message: str
    """What was found, in a line, and how to mend it."""
    figures: dict[str, Any] = {}
    """What the verdict rests on, and more that was measured on the way; each key names its unit."""
    seconds: float = 0.0
    """What the check itself took."""


class Findings(BaseModel):
    """All that one method's checks found. One that stands behind a failed one was not asked."""

    model_config = ConfigDict(frozen=True, extra="allow")

    checks: list[Check] = Field(validation_alias=AliasChoices("checks", "gates"))
    """In `preflight.json` of format 1 they are called gates."""

    def figures(self, check: str) -> dict[str, Any]:
        """Return what a preflight check measured; empty if it was not asked."""
        return next((asked.figures for asked in self.checks if asked.name == check), {})

    @property
    def is_verdict(self) -> bool:
        """Whether the checks could be asked; else a worker was lost, which says little of the method."""
        return all(check.name != "worker" for check in self.checks)

    @property
    def failed(self) -> bool:
        return any(check.verdict == "fail" for check in self.checks)

    @property
    def micro_batch(self) -> int | None:
        """Examples per forward pass that fit the device; None: the whole batch does."""
        micro_batch: int | None = self.figures("memory").get("micro_batch")
        return micro_batch


def asked(findings: Iterable[Findings]) -> list[str]:
    """Return the names of the checks that any method was asked, in their order.

    Of a method that fails early the checks in between are not asked, so a check's place is the latest that it
    has in any method's findings.
    """
    places: dict[str, int] = {}
    for found in sorted(findings, key=lambda found: len(found.checks)):
        for place, check in enumerate(found.checks):
            places[check.name] = max(place, places.get(check.name, 0))
    return sorted(places, key=places.__getitem__)
