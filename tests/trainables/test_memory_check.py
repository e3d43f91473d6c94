"""The memory check: what it predicts is what a step then takes, and what it chooses fits."""

import math
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import spaces
from tests.tiny import dialogues
from trainables.data import Data, Example
from trainables.loop import FineTuning
from trainables.preflight.checks.memory import judged, memory
from trainables.preflight.memory_profile import MemoryProfile
from trainables.preflight.room import SHARE_USED
from trainables.preflight.sample import longest
from trainables.workbench import Workbench

ROOT = Path(__file__).parents[2]
BATCH = 16
AMPLE = 2**40
LORA = spaces.costliest(spaces.get("lora")) | {"batch_size": BATCH}
OWN_PROCESS = "TUNEOFF_TEST_OWN_PROCESS"
in_its_own_process = pytest.mark.skipif(OWN_PROCESS not in os.environ, reason="run by the test below")
"""As a worker is: after many other tests a process holds freed memory, and grows by less than it takes."""


@pytest.mark.slow
def test_what_needs_a_process_of_its_own() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-k", "small_steps or portion_that_it_chooses", __file__],
        cwd=ROOT,
        env={**os.environ, OWN_PROCESS: "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout
    assert "2 passed" in result.stdout


@pytest.fixture(scope="module")
def wordy(bench: Callable[..., Workbench]) -> Workbench:
    """Sources of about 500 tokens, so that activations are larger than what the allocator wastes."""
    table = bench("t5", max_source_tokens=500)
    text = " ".join(row["dialogue"] for row in dialogues(60, seed=3))
    examples = [Example(str(n), text[n:], text[n:], (text[: 200 + n],)) for n in range(BATCH)]
    long = Workbench(table.task, 0)
    long.data = Data(examples, table.data.validation, [])
    return long


def measured(table: Workbench, micro_batch: int) -> int:
    """The peak of two steps of the whole batch, taken in micro-batches."""
    tuning = FineTuning(table, "lora", LORA, examples=2 * BATCH, seed=0, micro_batch=micro_batch)
    tuning.advance(2 * BATCH)
    peak = tuning.cost()["peak_memory_bytes"]
    tuning.close()
    assert isinstance(peak, int)
    return peak


@in_its_own_process
def test_small_steps_predict_a_large_one(wordy: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "trainables.preflight.memory_profile.STEP_SECONDS", math.inf
    )  # as many on a busy machine
    whole = measured(wordy, BATCH)
    assert whole > 100 * 2**20
    profile = MemoryProfile(wordy, "lora", LORA, room=round(0.75 * whole))
    assert max(profile.peaks) == BATCH // 2  # it stopped where the next step would not have fit
    assert profile.predicted(BATCH) == pytest.approx(whole, rel=0.25)
    assert list(profile.peaks.values()) == sorted(profile.peaks.values())


@in_its_own_process
def test_the_portion_that_it_chooses_fits_and_twice_as_much_does_not(wordy: Workbench) -> None:
    room = round(0.75 * measured(wordy, BATCH))
    finding = judged(MemoryProfile(wordy, "lora", LORA, room))
    micro_batch = finding.figures["micro_batch"]
    assert finding.verdict == "pass"
    assert micro_batch == BATCH // 2
    assert measured(wordy, micro_batch) < room / SHARE_USED["cpu"]
    assert finding.figures["whole_batch_peak_bytes"] > room
    assert f"taken in micro-batches of {micro_batch}" in finding.message


def test_where_not_even_one_example_fits_it_fails_with_the_numbers(wordy: Workbench) -> None:
    finding = judged(MemoryProfile(wordy, "lora", LORA, room=2**20))
    assert finding.verdict == "fail"
    assert "1 MiB are free" in finding.message
    assert finding.figures["peak_bytes"] > finding.figures["room_bytes"] == 2**20


def test_a_share_of_the_machine_is_less_room(wordy: Workbench) -> None:
    whole, half = (memory(wordy, "lora", LORA, share).figures for share in (1.0, 0.5))
    assert 0 < half["room_bytes"] < 0.7 * whole["room_bytes"]
    assert whole["micro_batch"] is half["micro_batch"] is None


def test_portions_that_the_task_asks_for_are_the_most_that_is_tried(wordy: Workbench) -> None:
    wordy_task = wordy.task
    wordy.task = wordy_task.model_copy(update={"micro_batch_size": 2})
    profile = MemoryProfile(wordy, "lora", LORA, AMPLE)
    wordy.task = wordy_task
    assert profile.peaks.keys() == {1, 2}
    assert judged(profile).figures["micro_batch"] is None


def test_the_longest_examples_are_those_with_most_to_read_and_write(wordy: Workbench) -> None:
    def sizes(examples: list[Example]) -> list[int]:
        return [len(example.prompt) + len(example.references[0]) for example in examples]

    examples = [replace(e, prompt=e.prompt[: 7 * n % 50]) for n, e in enumerate(wordy.data.train)]
    assert sizes(longest(examples, 5)) == sorted(sizes(examples), reverse=True)[:5]


@pytest.mark.parametrize(
    ("peaks", "examples", "expected"),
    [({1: 110, 2: 120}, 32, 420), ({1: 110, 2: 120, 4: 140}, 8, 180), ({2: 10}, 8, 40), ({1: 7, 4: 9}, 4, 9)],
)
def test_the_line_goes_through_the_two_largest_steps(peaks: Any, examples: int, expected: int) -> None:
    profile = MemoryProfile.__new__(MemoryProfile)
    profile.peaks = peaks
    assert profile.predicted(examples) == expected


def test_a_limit_on_the_process_leaves_no_more_room_than_it_allows() -> None:
    code = (
        "import resource, psutil, torch\n"
        "from trainables.preflight.room import room_bytes\n"
        "free = room_bytes(torch.device('cpu'), 1.0)\n"
        "limit = psutil.Process().memory_info().vms + 2**27\n"
        "resource.setrlimit(resource.RLIMIT_AS, (limit, limit))\n"
        "print(free, room_bytes(torch.device('cpu'), 1.0))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    free, limited = map(int, result.stdout.split())
    assert 0 < limited <= SHARE_USED["cpu"] * 2**27 < free
