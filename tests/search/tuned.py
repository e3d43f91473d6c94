"""A fake of Ray Tune for schedulers: `engine/test_tune_results.py` holds it against Tune itself."""

from dataclasses import dataclass
from typing import Any

from ray.tune.utils import flatten_dict

from trainables.rung_report import RungReport
from trainables.trainable import tune_result


@dataclass
class TuneTrial:
    """As much of Tune's trial as a scheduler sees."""

    config: dict[str, Any]


def flat(report: RungReport) -> dict[str, Any]:
    """What a scheduler and a searcher hear of a report."""
    result: dict[str, Any] = flatten_dict(tune_result(report))
    return result
