"""Check nodes that join while a sweep runs; one that cannot train gets no trial."""

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

from ray.tune import PlacementGroupFactory

from search.cluster import nodes
from search.cluster.nodes import Facts, Node

_unfit: set[str] = set()
"""Ids of nodes that cannot train. Global, because Tune copies the function that `request` returns and calls
the copy."""


class JoiningNodes:
    """Asks each new node for its facts, without waiting for the answer.

    A trial may start there before the answer: `search.cluster.failures` counts its end as a preemption.
    """

    def __init__(
        self,
        report: Callable[[str], None],
        *,
        present: Callable[[], list[Node]],
        ask: Callable[[Node], "Future[Facts]"],
        gpu_bytes: int | None = None,
    ) -> None:
        """Start from the nodes that are there now; `report` gets each difference from the driver once.

        `gpu_bytes` is the memory of their smallest GPU.
        """
        self._report, self._present, self._ask, self._gpu_bytes = report, present, ask, gpu_bytes
        self._known = {node["NodeID"] for node in present()}
        self._asked: dict[str, tuple[str, Future[Facts]]] = {}
        self._mine = nodes.here()
        forget_unfit()

    def look(self) -> None:
        """Ask the new nodes, and compare those that have answered."""
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
            self._report(f"The node {name} cannot train, so no trial is given to it: {lacks}")
            return
        for line in nodes.differences({name: found}, self._mine):
            self._report(line)


def forget_unfit() -> None:
    """Forget what an earlier sweep of this process knew."""
    _unfit.clear()


def exclude(identity: str) -> None:
    """Give no more trials to a node."""
    _unfit.add(identity)


def is_fit(node: Node) -> bool:
    """Tell whether the node is not known to be unable to train."""
    return node["NodeID"] not in _unfit


def request(bundle: dict[str, float]) -> Callable[[dict[str, Any]], PlacementGroupFactory]:
    """Build the function that tells Tune a trial's resources: `bundle`, on a node that can train."""
    return partial(_request, bundle)


def _request(bundle: dict[str, float], config: dict[str, Any]) -> PlacementGroupFactory:
    if not _unfit:
        return PlacementGroupFactory([bundle])
    others = {"ray.io/node-id": f"!in({','.join(sorted(_unfit))})"}
    return PlacementGroupFactory([bundle], bundle_label_selector=[others])
