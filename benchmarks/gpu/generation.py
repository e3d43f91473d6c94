"""Tokens a second that are generated greedily, as an evaluation does."""

from pathlib import Path
from typing import Any

from benchmarks.measure import timed
from benchmarks.work import Work
from trainables.inference.generate import end_tokens, greedy
from trainables.workbench import Workbench

WARM_UP = 2
"""Examples."""


def generation(folder: Path, *, quick: bool, shape: str) -> dict[str, Any]:
    """Generate for all validation examples; random weights seldom end before the cap."""
    of = Work.read(folder / f"{shape}.json")
    bench = Workbench(of.task(), data_seed=0)
    base, cap = bench.base, 8 if quick else of.max_target_tokens
    sources = [example.source for example in bench.encoded("validation")]
    greedy(base, base.model, sources[:WARM_UP], cap=cap)
    with timed(len(sources)) as sample:
        outputs = greedy(base, base.model, sources, cap=cap)
    ends = end_tokens(base)
    tokens = sum(written(row, ends) for row in outputs)
    return {
        "precision": of.precision,
        "sources": len(sources),
        "tokens": tokens,
        "seconds": sample.wall_seconds,
        "tokens_per_second": tokens / sample.wall_seconds,
    }


def written(row: list[int], ends: set[int]) -> int:
    """Count the tokens of an output up to its end; what follows is padding."""
    return next((place + 1 for place, token in enumerate(row) if token in ends), len(row))
