"""The run folder that results are brought into: a new one, that of an earlier import, or that of a sweep."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from search.config import Sweep
from search.importing.runs import Run
from search.records import BASELINE, Results, RunFolder, load_results
from trainables.data import load
from trainables.errors import InputError
from trainables.examples import Example
from trainables.status import Status

IMPORTED_TASK = {
    "model": "imported",
    "data": "imported",
    "source": "source",
    "target": "references",
    "prompt": "{source}",
}
"""What the task of a folder of imported results says where it knows nothing."""


@dataclass
class Target:
    """A run folder as it is before an import."""

    folder: RunFolder
    sweep: Sweep
    results: Results | None
    """None of a new folder."""
    examples: dict[str, Example]
    """Those of its runs, by id; empty where it has none with predictions."""
    numbers: dict[tuple[str, int], int] = field(default_factory=dict)
    """(method, seed) to the seed's index, after `refuse`."""
    folders: dict[str, str] = field(default_factory=dict)
    """Method to the name of its folder, after `refuse`."""

    def refuse(self, runs: Sequence[Run]) -> None:
        """Give each run its place.

        Raises:
            InputError: one is there already, or bears the name of a method of the sweep.
        """
        records = self.results.records if self.results else []
        there = {(r.method, r.seed) for r in records if r.origin in ("imported", "quoted")}
        own = {*self.sweep.methods, *(r.method for r in records if r.origin not in ("imported", "quoted"))}
        for run in runs:
            if run.method in own:
                raise InputError(
                    f"{run.place}: {run.method!r} is the name of a method in {self.folder.root}, whose "
                    "results are its own. Give the imported one another name."
                )
            if (run.method, run.seed) in there:
                raise InputError(
                    f"{run.place}: {self.folder.root} holds {run.method!r} with seed {run.seed} already."
                )
        self.numbers = {(r.method, r.seed): r.number for r in records if (r.method, r.seed) in there}
        self.folders = {r.method: r.id.partition("/")[0] for r in records}
        for method in dict.fromkeys(run.method for run in runs):
            self._place(method, sorted(run.seed for run in runs if run.method == method))

    def _place(self, method: str, seeds: Sequence[int]) -> None:
        first = sum(known == method for known, _ in self.numbers)
        self.numbers |= {(method, seed): first + place for place, seed in enumerate(seeds)}
        if method not in self.folders:
            taken = {*self.folders.values(), *self.sweep.methods, *([BASELINE] if method != BASELINE else [])}
            self.folders[method] = _folder_name(method, taken)

    def record_id(self, run: Run) -> str:
        return f"{self.folders[run.method]}/seed-{self.numbers[run.method, run.seed]}"

    def labels(self, examples: Iterable[Example]) -> tuple[str, ...]:
        """Return the label words of a classification; no words of another task."""
        task = self.sweep.task
        if not task.picks_labels:
            return ()
        if self.sweep.imported:
            return tuple(sorted({text for example in examples for text in example.references}))
        return load(task, self.sweep.seed).labels


def target(into: str, task: dict[str, Any]) -> Target:
    """Look at the run folder `into`, or think of a new one.

    Args:
        into: its path or URL.
        task: `type`, `metric` and `references` of the task; None where they are to be the folder's own.

    Raises:
        InputError: it is another folder, has another task, or its sweep has not ended.
    """
    folder, said = RunFolder(into), {key: value for key, value in task.items() if value is not None}
    if not folder.sweep_file.exists():
        if any(folder.root.glob("*")):
            raise InputError(f"{into} holds files and is no run folder. Name a new or empty one with --into.")
        return Target(folder, _new_sweep(folder, said), None, {})
    results = load_results(folder.root)
    for key, value in said.items():
        if value != (known := getattr(results.sweep.task, key)):
            raise InputError(
                f"--{key} {value}: {into} is of {key} {known}, by which all that is in it was scored. Leave "
                "the option out, or name another folder."
            )
    examples = _examples(results)
    if not examples and not results.sweep.imported:
        raise InputError(
            f"{into} has no finished run of its final, whose examples imported results must have. Import "
            "when its sweep has ended, or into a folder of their own."
        )
    return Target(folder, results.sweep, results, examples)


def _new_sweep(folder: RunFolder, task: dict[str, Any]) -> Sweep:
    name = _folder_name(folder.root.name or "imported", set())
    return Sweep.parsed(
        {"name": name, "imported": True, "methods": {}, "final": {"seeds": 1}, "task": IMPORTED_TASK | task},
        "tuneoff import",
    )


def _folder_name(text: str, taken: set[str]) -> str:
    """Make a name of letters, digits, '_' and '-' that is not `taken`."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-_") or "method"
    names = (plain, *(f"{plain}-{number}" for number in range(2, len(taken) + 3)))
    return next(name for name in names if name not in taken)


def _examples(results: Results) -> dict[str, Example]:
    """Return the examples of the first finished run that has its predictions."""
    finals = results.finals[results.finals["status"] == Status.COMPLETED]
    for run in finals[finals["origin"] != "quoted"].itertuples():
        try:
            table = results.predictions(str(run.method), int(run.seed))
        except InputError:
            continue
        rows = zip(table["id"], table["source"], table["references"], strict=True)
        return {str(n): Example(str(n), s, s or str(n), tuple(refs)) for n, s, refs in rows}
    return {}
