"""What the preflight checks found before a sweep began, as the run folder keeps it: `preflight.json`."""

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

from search.config import FORMAT, Format, Sweep, upgraded
from trainables.errors import InputError
from trainables.preflight.findings import Check, Findings


class PreflightResults(BaseModel):
    """The preflight checks of each method, by its name in the sweep, and what the whole sweep will take."""

    model_config = ConfigDict(frozen=True, extra="allow")

    format: Format = FORMAT
    methods: dict[str, Findings] = {}
    startup_seconds: float | None = None
    """What it took to start a worker: process, libraries, model and data; None before one has."""
    disk_and_time: Check | None = None
    """Of the whole sweep; None before all its methods were asked, and where all failed."""
    is_whole: bool = False
    """Whether all methods of the sweep were asked."""

    @model_validator(mode="before")
    @classmethod
    def _of_an_older_format(cls, content: Any) -> Any:
        return upgraded(content)

    @property
    def disk_would_fill(self) -> bool:
        return self.disk_and_time is not None and self.disk_and_time.verdict == "fail"

    def verdicts(self) -> "PreflightResults":
        """What is known of the methods themselves; one whose worker was lost is to be asked again."""
        kept = {name: findings for name, findings in self.methods.items() if findings.is_verdict}
        return self.model_copy(update={"methods": kept})

    def failed(self) -> list[str]:
        """Methods that a preflight check keeps out."""
        return [method for method, findings in self.methods.items() if findings.failed]

    def refuse_failures(self) -> None:
        """Raise InputError with the checks that were failed, and what they say; nothing where all is well."""
        checks = {name: found.checks for name, found in self.methods.items()}
        if self.disk_and_time is not None:
            checks["the sweep"] = [self.disk_and_time]
        failed = [
            (name, check) for name, asked in checks.items() for check in asked if check.verdict == "fail"
        ]
        if failed:
            raise InputError(
                "\n".join(f"{name} failed {check.name}: {check.message}" for name, check in failed)
            )

    def admitted(self, sweep: Sweep) -> Sweep:
        """The sweep without the methods that a preflight check keeps out; those that were not asked stay."""
        kept = {name: choice for name, choice in sweep.methods.items() if name not in self.failed()}
        return sweep.model_copy(update={"methods": kept})

    def objections(self) -> dict[tuple[str, str, str], list[str]]:
        """Each verdict, check name and message that is no pass, once, with the methods that it is about."""
        said: dict[tuple[str, str, str], list[str]] = {}
        for method, findings in self.methods.items():
            for check in findings.checks:
                if check.verdict != "pass":
                    said.setdefault((check.verdict, check.name, check.message), []).append(method)
        return said

    def micro_batch(self, method: str) -> int | None:
        """Examples per forward pass that the memory check chose; None: the whole batch, or the task's own."""
        findings = self.methods.get(method)
        return findings.micro_batch if findings else None


ChecksListener = Callable[[PreflightResults], None]
"""Told after each method that was asked, and at the end, when `disk_and_time` is known too."""
