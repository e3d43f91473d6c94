"""The watch over Ray: what it takes for lost, and that a process which cannot end by itself is ended."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from ray.exceptions import RaySystemError

from search.cluster.failures import RayLost
from search.cluster.watch import GRACE_PERIODS, SILENT_PERIODS, Watch

PERIOD_SECONDS = 0.005


class Head:
    """Answers with this process's node and another one, until it is told to do otherwise."""

    def __init__(self) -> None:
        self.here = True
        self.asked = 0
        self.failures: Iterable[int] = range(0)
        """Which of the questions it fails to answer."""
        self.hangs = threading.Event()
        self.hangs.set()

    def nodes(self) -> list[dict[str, Any]]:
        self.asked += 1
        if self.asked in self.failures:
            raise RaySystemError("no connection")
        self.hangs.wait()
        return [{"NodeID": "here", "Alive": self.here}, {"NodeID": "there", "Alive": True}]


class Watched:
    def __init__(self) -> None:
        self.head, self.codes = Head(), []
        self.watch = Watch(
            "here",
            "Go on with: tuneoff resume x",
            ask=self.head.nodes,
            leave=self.codes.append,
            period_seconds=PERIOD_SECONDS,
        )

    def wait_for(self, condition: Callable[[], Any]) -> None:
        end = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < end
            time.sleep(PERIOD_SECONDS)


@pytest.fixture
def watched() -> Iterator[Watched]:
    watched = Watched()
    yield watched
    watched.watch.end()


def test_a_head_that_answers_is_well(watched):
    watched.wait_for(lambda: watched.head.asked > SILENT_PERIODS + GRACE_PERIODS)
    assert watched.watch.lost is None
    assert watched.watch.nodes()[0] == {"NodeID": "here", "Alive": True}
    assert watched.codes == []


def test_the_node_of_this_process_has_to_live(watched, capfd):
    watched.head.here = False
    watched.wait_for(lambda: watched.codes)
    with pytest.raises(RayLost, match=r"raylet on this machine was killed, or hangs. No trial is charged"):
        watched.watch.nodes()
    assert watched.codes == [1]
    assert capfd.readouterr().err == f"\nError: {watched.watch.lost}\nGo on with: tuneoff resume x\n"


def test_a_head_that_fails_to_answer_is_given_time(watched):
    watched.head.failures = range(10, 1_000_000)
    watched.wait_for(lambda: watched.watch.lost)
    assert watched.head.asked > 10
    assert "has not answered for 40 s" in str(watched.watch.lost)


def test_a_head_that_answers_again_in_time_is_well(watched):
    watched.head.failures = range(10, 10 + SILENT_PERIODS // 2)
    watched.wait_for(lambda: watched.head.asked > 2 * SILENT_PERIODS)
    assert watched.watch.lost is None


def test_who_reads_the_nodes_does_not_wait_for_a_head_that_hangs(watched):
    asked = watched.head.asked
    watched.head.hangs.clear()
    watched.wait_for(lambda: watched.head.asked > asked)
    assert len(watched.watch.nodes()) == 2
    watched.wait_for(lambda: watched.codes == [1])
    watched.head.hangs.set()


def test_a_process_that_ends_by_itself_is_left_alone(watched):
    watched.head.here = False
    watched.wait_for(lambda: watched.watch.lost)
    watched.watch.end()
    time.sleep(2 * GRACE_PERIODS * PERIOD_SECONDS)
    assert watched.codes == []
