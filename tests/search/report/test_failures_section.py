"""The report's section on failures: what ended trials, and apart from it what happened to others."""

import pytest

from search.records.results import load_results
from search.report.setup import setup

pytestmark = pytest.mark.faults


def failures(finished) -> list[str]:
    text = setup(load_results(finished.root)).partition("**Failures**")[2].partition("**Prompt**")[0]
    return [line for line in text.splitlines() if line.startswith("- ")]


def test_preemptions_and_remarks_stand_apart_from_failures(finished):
    before = failures(finished)
    assert not any("Preemptions" in line for line in before)
    finished.trial("full", 0, [20, 26, 30], preemptions=2)
    finished.trial("lora", 1, [21, 27, 31], device_failures=3, whole_gpu=True)
    finished.trial("lora", 0, [21, 27, 31], preemptions=1, remarks=["The checkpoint <at> 100 was damaged."])
    assert failures(finished)[: len(before)] == before
    preempted, broken, apart, remark = failures(finished)[len(before) :]
    assert preempted == (
        "- Preemptions, after each of which the trial went on elsewhere: `full/0000` 2, `lora/0000` 1"
    )
    assert broken == "- CUDA errors, after each of which the trial went on in a new worker: `lora/0001` 3"
    assert apart == "- Out of memory beside others on a GPU, then run with one to itself: `lora/0001`"
    assert remark.startswith("- `lora/0000`: The checkpoint ")
    assert "<at>" not in remark
