"""A report is one typed message: what it does not know it keeps, what is no report it refuses."""

from typing import Any

import pytest
from pydantic import ValidationError

from trainables.rung_report import Rung, RungReport

OF_AN_EARLIER_RELEASE: dict[str, Any] = {
    "rung": 1,
    "examples": 300,
    "score": None,
    "cost": {"train_seconds": 2.5, "trainable_parameters": 7, "energy_joules": None},
    "train_loss": 3.25,
    "status": "running",
    "message": None,
    "remarks": ["The checkpoint at 100 examples was damaged and passed over."],
}
"""As its checkpoint holds it, at a rung that was not evaluated."""


def test_a_report_in_a_checkpoint_of_an_earlier_release_is_read() -> None:
    report = RungReport.model_validate(OF_AN_EARLIER_RELEASE)
    assert (report.rung, report.status, report.scores, report.loss) == (1, "running", {}, None)
    assert report.remarks == OF_AN_EARLIER_RELEASE["remarks"]
    assert RungReport.model_validate(report.model_dump()) == report
    assert {name: type(value) for name, value in report.cost.items()} == {
        "train_seconds": float,
        "trainable_parameters": int,
        "energy_joules": type(None),
    }


def test_a_record_is_given_the_rung_alone() -> None:
    rung = RungReport.model_validate(OF_AN_EARLIER_RELEASE).result()
    assert type(rung) is Rung
    named = {
        name: OF_AN_EARLIER_RELEASE[name] for name in ("rung", "examples", "score", "cost", "train_loss")
    }
    assert rung == Rung(**named)


def test_what_a_later_release_adds_goes_to_the_record() -> None:
    report = RungReport.model_validate(OF_AN_EARLIER_RELEASE | {"tokens_seen": 9})
    assert report.result().model_dump()["tokens_seen"] == 9


@pytest.mark.parametrize(
    "changes", [{"status": "failed"}, {"score": "good"}, {"rung": None}, {"remarks": "a text"}]
)
def test_what_is_no_report_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RungReport.model_validate(OF_AN_EARLIER_RELEASE | changes)
