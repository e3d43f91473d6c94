"""The preflight checks of every method, asked without Ray."""

from pathlib import Path
from typing import Any

import spaces
from benchmarks.work import METHODS, Work
from trainables.preflight.examine import examine
from trainables.preflight.request import Request
from trainables.workbench import Workbench


def checks(folder: Path, *, quick: bool) -> dict[str, Any]:
    """What each method's checks find on FLAN-T5-small's shape; the quick form asks three methods."""
    of = Work.read(folder / "flan-t5-small.json")
    bench = Workbench(of.task(), data_seed=0)
    names = METHODS if quick else tuple(spaces.available())
    return {"methods": {name: examine(bench, _request(bench, name)).model_dump() for name in names}}


def _request(bench: Workbench, method: str) -> Request:
    space = spaces.get(method)
    return Request(
        method=method,
        hyperparameters=space.complete(space.default),
        costliest=spaces.costliest(space),
        task=bench.task,
        data_seed=bench.data_seed,
        data_fingerprint=bench.data.fingerprint,
        cpus=1,
        memory_share=1.0,
    )
