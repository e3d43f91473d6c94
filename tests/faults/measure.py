"""How long recovery takes: printed, for docs/faults.md; `pytest -m faults -rP | grep recovery` shows it."""

from pathlib import Path

from tests.search.replay import steps


def tell(row: str, seconds: float) -> None:
    print(f"recovery: {row}: {seconds:.1f} s")  # noqa: T201


def seconds_to_recover(row: str, task: Path, trial: str) -> None:
    """Tell the time from the failure of a trial to when it is trained again."""
    suffered = (task / "model" / f"{trial.replace('/', '-')}.suffered").stat().st_mtime
    tell(row, next_began(task, trial, suffered) - suffered)


def next_began(task: Path, trial: str, moment: float) -> float:
    """When a trial was trained again after a moment, both in seconds since 1970."""
    mine = (step["began"] for step in steps(task) if step["trial"] == trial)
    return min(began for began in mine if began > moment)
