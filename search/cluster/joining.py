"""Nodes that join while a sweep runs: compared as the first were; one that cannot train is given no trial."""

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

from ray.tune import PlacementGroupFactory

from search.cluster import nodes
from search.cluster.nodes import Facts, Node

_unfit: set[str] = set()
"""The ids of nodes that cannot train. Of the process, because Tune keeps a copy of what it is given, and asks
that copy what a trial needs."""


class Newcomers:
    """Asks each node that has joined since, and goes on without waiting for its answer.

    A trial may be quicker than the answer: see `search.cluster.failures` for what becomes of it.
    """

    def __init__(
        self,
        tell: Callable[[str], None],
        *,
        present: Callable[[], list[Node]],
        ask: Callable[[Node], "Future[Facts]"],
        gpu_bytes: int | None = None,
    ) -> None:
        """`tell` hears each difference from the driver once; nodes that are there now have not joined.

        `gpu_bytes` is the memory of the smallest GPU of those that are there.
        """
        self._tell, self._present, self._ask, self._gpu_bytes = tell, present, ask, gpu_bytes
        self._known = {node["NodeID"] for node in present()}
        self._asked: dict[str, tuple[str, Future[Facts]]] = {}
        self._mine = nodes.here()
        forget_unfit()

    def look(self) -> None:
        """Ask those that are new, compare those that have answered."""
        for node in self._present():
            if node["NodeID"] not in self._known:
                self._known.add(node["NodeID"])
                self._asked[node["NodeID"]] = (nodes.name(node), self._ask(node))
        for identity, (name, answer) in list(self._asked.items()):
            if answer.done():
                del self._asked[identity]
                self._compare(identity, name, answer)

    def _compare(self, identity: str, name: str, answer: "Future[Facts]") -> None:
        try:
            found = answer.result()
        except nodes.GONE:
            return
        lacks = nodes.lacks(found, self._mine, self._gpu_bytes)
        if lacks:
            _unfit.add(identity)
            self._tell(f"The node {name} cannot train, so no trial is given to it: {lacks}")
            return
        for line in nodes.differences({name: found}, self._mine):
            self._tell(line)


def forget_unfit() -> None:
    """Forget what an earlier sweep of this process knew."""
    _unfit.clear()


def exclude(identity: str) -> None:
    """Give no more trials to a node."""
    _unfit.add(identity)


def is_fit(node: Node) -> bool:
    """Whether it is not known to be unable to train."""
    return node["NodeID"] not in _unfit


def request(bundle: dict[str, float]) -> Callable[[dict[str, Any]], PlacementGroupFactory]:
    """What to ask Tune for each new trial: these resources, of a node that can train."""
    return partial(_request, bundle)


def _request(bundle: dict[str, float], config: dict[str, Any]) -> PlacementGroupFactory:
    if not _unfit:
        return PlacementGroupFactory([bundle])
    others = {"ray.io/node-id": f"!in({','.join(sorted(_unfit))})"}
    return PlacementGroupFactory([bundle], bundle_label_selector=[others])
