"""What the doctor finds: plain data, which a node sends and the command line prints."""

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict

from trainables.preflight.findings import Verdict


class Finding(BaseModel):
    """One line of the doctor's: `fail` where a sweep could not run, `warn` where it could, but not well."""

    model_config = ConfigDict(frozen=True)

    name: str
    verdict: Verdict
    message: str
    remedy: str = ""
    """What to do about it; empty where nothing is wrong."""


def passed(name: str, message: str) -> Finding:
    return Finding(name=name, verdict="pass", message=message)


def warned(name: str, message: str, remedy: str) -> Finding:
    return Finding(name=name, verdict="warn", message=message, remedy=remedy)


def failed(name: str, message: str, remedy: str) -> Finding:
    return Finding(name=name, verdict="fail", message=message, remedy=remedy)


def could_run(findings: Iterable[Finding]) -> bool:
    """Whether nothing was found for which a sweep could not run."""
    return all(finding.verdict != "fail" for finding in findings)
