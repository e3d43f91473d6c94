"""Python and the installed packages, against what tuneoff declares."""

import platform
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution, version

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from pydantic import BaseModel, ConfigDict

from search.doctor.finding import Finding, failed, passed, warned

PACKAGE = "tuneoff"
REINSTALL = "Install tuneoff at the tested versions: pip install -c constraints.txt ."


class Declared(BaseModel):
    """The versions that tuneoff declares: plain text, for nodes on which only its code is."""

    model_config = ConfigDict(frozen=True)

    python: str = ""
    requirements: tuple[str, ...] = ()
    """As `importlib.metadata` has them; empty where tuneoff itself is not installed."""


def declared() -> Declared:
    """Read what the installed package declares, without its extras."""
    try:
        found = distribution(PACKAGE)
    except PackageNotFoundError:
        return Declared()
    needed = [text for text in found.requires or () if _is_needed(Requirement(text))]
    return Declared(python=found.metadata["Requires-Python"], requirements=tuple(needed))


def check_packages(wanted: Declared) -> Iterator[Finding]:
    """Compare Python and each declared package with what this process has."""
    yield _python(SpecifierSet(wanted.python))
    problems = [problem for text in wanted.requirements if (problem := _problem(Requirement(text)))]
    if problems:
        yield failed("packages", "; ".join(problems), REINSTALL)
    elif wanted.requirements:
        yield passed("packages", f"{len(wanted.requirements)} as declared")
    else:
        yield warned("packages", "not compared: tuneoff's code is here, its package is not", REINSTALL)


def _python(wanted: SpecifierSet) -> Finding:
    message = f"{platform.python_version()}, {sys.executable}"
    if wanted.contains(platform.python_version(), prereleases=True):
        return passed("Python", message)
    return failed("Python", message, f"Make an environment with Python {wanted}, and install tuneoff in it.")


def _problem(wanted: Requirement) -> str | None:
    """What is wrong with one package; None where it is there in a declared version."""
    try:
        found = version(wanted.name)
    except PackageNotFoundError:
        return f"{wanted.name} is not installed"
    if wanted.specifier.contains(found, prereleases=True):
        return None
    return f"{wanted.name} is {found}, not {wanted.specifier}"


def _is_needed(requirement: Requirement) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": ""})
