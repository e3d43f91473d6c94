"""A watch over Ray itself: where it is lost the sweep ends, and says how to go on.

Left alone, a driver whose raylet was killed waits for workers for ever, and one that has lost its head
(the GCS) is ended by Ray after a minute, without a word to the user.
"""

import os
import threading
from collections.abc import Callable
from typing import Any

import ray
from ray.exceptions import RayError

from search.cluster.failures import RayLost, node_is_lost, ray_is_lost
from search.cluster.nodes import Node

PERIOD_SECONDS = 1.0
"""From one question to the next; the next two count such periods."""
SILENT_PERIODS = 40
"""After so many without an answer the head is taken for lost; Ray itself waits 60 s for one that starts anew.

Counted, not timed: a driver that was stopped, as by Ctrl-Z, does not blame Ray when it goes on.
"""
GRACE_PERIODS = 10
"""How long the sweep may take to end in order. Then its process is ended: calls of Ray may wait for ever."""


class Watch:
    """Asks the head for its nodes again and again, in a thread of its own: who reads `nodes` never waits.

    Args:
        node: the id of the one that this process is on.
        farewell: what a process that has to be ended says last: how to go on.
        ask: the question; it may never return.
        leave: ends the process with an exit code.
    """

    def __init__(
        self,
        node: str,
        farewell: str,
        *,
        ask: Callable[[], list[Node]] = ray.nodes,
        leave: Callable[[int], Any] = os._exit,
        period_seconds: float = PERIOD_SECONDS,
    ) -> None:
        self.lost: RayLost | None = None
        """Why nothing can go on with this Ray; None while it can."""
        self._node, self._farewell, self._ask, self._leave = node, farewell, ask, leave
        self._period_seconds = period_seconds
        self._nodes, self._answers = ask(), 1
        self._has_ended = threading.Event()
        for work in (self._keep_asking, self._keep_watch):
            threading.Thread(target=work, daemon=True).start()

    def nodes(self) -> list[Node]:
        """As the head has last told them.

        Raises:
            RayLost: it has not told them for too long, or this process's own node is lost.
        """
        self.check()
        return self._nodes

    def check(self) -> None:
        """Raise RayLost where Ray is lost."""
        if self.lost is not None:
            raise self.lost

    def end(self) -> None:
        """To be called when this process has done with Ray."""
        self._has_ended.set()

    def _keep_asking(self) -> None:
        while not self._has_ended.wait(self._period_seconds):
            try:
                self._nodes = self._ask()
            except RayError:
                continue  # no answer
            self._answers += 1

    def _keep_watch(self) -> None:
        silent, heard = 0, 0
        while not self._has_ended.wait(self._period_seconds):
            silent = silent + 1 if heard == self._answers else 0
            heard = self._answers
            if silent == SILENT_PERIODS:
                self._lose(ray_is_lost(f"its head (GCS) has not answered for {SILENT_PERIODS} s"))
                return
            if not any(node["Alive"] for node in self._nodes if node["NodeID"] == self._node):
                self._lose(node_is_lost())
                return

    def _lose(self, lost: RayLost) -> None:
        self.lost = lost
        if not self._has_ended.wait(GRACE_PERIODS * self._period_seconds):
            os.write(2, f"\nError: {lost}\n{self._farewell}\n".encode())
            self._leave(1)
