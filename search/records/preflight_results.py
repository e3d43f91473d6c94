"""What the preflight checks found before a sweep began, kept in the run folder as `preflight.json`."""

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from search.config import FORMAT, Format, Sweep, upgraded
from trainables.errors import InputError
from trainables.preflight.findings import Check, Findings


class PreflightResults(BaseModel):
    """The findings of each method, by its name in the sweep, and the estimate for the whole sweep."""

    model_config = ConfigDict(frozen=True, extra="allow")

    format: Format = FORMAT
    methods: dict[str, Findings] = {}
    startup_seconds: float | None = None
    """Time to start a worker (process, libraries, model, data); None before one has started."""
    disk_and_time: Check | None = None
    """Check of the whole sweep; None before all its methods were checked, and if all failed."""
    is_whole: bool = False
    """Whether all methods of the sweep were checked."""
    under_way: dict[str, Findings] = Field(default={}, exclude=True)
    """What is known of methods that are being checked, the latest news last. Not kept: it is no verdict."""

    @model_validator(mode="before")
    @classmethod
    def _of_an_older_format(cls, content: Any) -> Any:
        return upgraded(content)

    @property
    def disk_would_fill(self) -> bool:
        return self.disk_and_time is not None and self.disk_and_time.verdict == "fail"

    def verdicts(self) -> "PreflightResults":
        """Keep the findings on the methods themselves; one whose worker was lost is to be checked again."""
        kept = {name: findings for name, findings in self.methods.items() if findings.is_verdict}
        return self.model_copy(update={"methods": kept})

    def failed(self) -> list[str]:
        """List the methods that failed a preflight check."""
        return [method for method, findings in self.methods.items() if findings.failed]

    def refuse_failures(self) -> None:
        """Raise InputError with the checks that failed and their messages; do nothing if none did."""
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
        """Return the sweep without the methods that failed a check; those not checked stay."""
        kept = {name: choice for name, choice in sweep.methods.items() if name not in self.failed()}
        return sweep.model_copy(update={"methods": kept})

    def objections(self) -> dict[tuple[str, str, str], list[str]]:
        """Map each verdict, check name and message that is no pass to the methods that it is about."""
        said: dict[tuple[str, str, str], list[str]] = {}
        for method, findings in self.methods.items():
            for check in findings.checks:
                if check.verdict != "pass":
                    said.setdefault((check.verdict, check.name, check.message), []).append(method)
        return said

    def micro_batch(self, method: str) -> int | None:
        """Return the examples a forward pass that the memory check chose; None: as batch or task say."""
        findings = self.methods.get(method)
        return findings.micro_batch if findings else None


ChecksListener = Callable[[PreflightResults], None]
"""Called after each check, with the method `under_way`; after each method; and at the end, when
`disk_and_time` is known too."""
