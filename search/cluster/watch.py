"""Watch Ray itself: when it is lost, end the sweep and say how to go on.

Without this, a driver whose raylet was killed waits for workers forever, and Ray silently ends one that has
lost its head (the GCS) after a minute.
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
"""Time between questions; the next two constants count such periods."""
SILENT_PERIODS = 40
"""Periods without an answer after which the head counts as lost; Ray itself waits 60 s for a restart.

Counted, not timed: a driver that was stopped, as by Ctrl-Z, does not blame Ray when it goes on.
"""
GRACE_PERIODS = 10
"""Periods in which the sweep may end in order before its process is killed: calls into Ray may hang."""


class Watch:
    """Asks the head for its nodes in a thread of its own, so that reading `nodes` never waits.

    Args:
        node: id of this process's node.
        farewell: last line of a process that must be killed: how to go on.
        ask: returns the nodes; it may hang.
        leave: ends the process with an exit code.
        period_seconds: time between questions.
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
        """Why Ray is lost; None while it works."""
        self._node, self._farewell, self._ask, self._leave = node, farewell, ask, leave
        self._period_seconds = period_seconds
        self._nodes, self._answers = ask(), 1
        self._has_ended = threading.Event()
        for work in (self._keep_asking, self._keep_watch):
            threading.Thread(target=work, daemon=True).start()

    def nodes(self) -> list[Node]:
        """Return the nodes of the head's last answer.

        Raises:
            RayLost: the head has been silent for too long, or this process's own node is lost.
        """
        self.check()
        return self._nodes

    def check(self) -> None:
        """Raise RayLost where Ray is lost."""
        if self.lost is not None:
            raise self.lost

    def end(self) -> None:
        """Stop watching, when this process no longer uses Ray."""
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
