"""Nodes that join while a sweep runs: what is told of them; one that cannot train is given no trial."""

import os
import sys
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
import ray
from ray import cloudpickle
from ray.exceptions import WorkerCrashedError

from search.cluster import nodes
from search.cluster.joining import JoiningNodes, is_fit, request
from search.engine.runner import run
from search.records.events import Event
from search.records.record import Record
from tests.ray_cluster import started
from tests.search import replay

cloudpickle.register_pickle_by_value(sys.modules[__name__])

HERE = nodes.here()
OTHER = {**HERE, "versions": {**HERE["versions"], "torch": "0.9"}}
BARE = {**HERE, "versions": {**HERE["versions"], "torch": None, "peft": None}}
STALE = {**HERE, "code": "other"}
BLIND = {**HERE, "blind": "torch sees no GPU, and Ray counts on one."}
SMALL = {**HERE, "gpu_bytes": 24 * 2**30}
BUNDLE = {"CPU": 1.0}


def node(identity: str) -> nodes.Node:
    return {"NodeID": identity * 8, "NodeManagerAddress": "10.0.0.1"}


class Room:
    """A cluster in which a test says who is there and what they answer."""

    def __init__(self) -> None:
        self.here = [node("a")]
        self.asked: list[str] = []
        self.answers: dict[str, Future[nodes.Facts]] = {}
        self.told: list[str] = []
        self.joined = JoiningNodes(
            self.told.append, present=lambda: self.here, ask=self.ask, gpu_bytes=80 * 2**30
        )

    def ask(self, node: nodes.Node) -> Future[nodes.Facts]:
        self.asked.append(node["NodeID"])
        return self.answers.setdefault(node["NodeID"], Future())

    def joins(self, identity: str) -> None:
        self.here = [*self.here, node(identity)]
        self.joined.look()

    def answers_with(self, identity: str, facts: nodes.Facts) -> None:
        self.answers[identity * 8].set_result(facts)
        self.joined.look()


def test_a_node_that_joins_is_asked_once_and_its_differences_are_told_once():
    room = Room()
    room.joined.look()
    assert room.asked == []
    room.joins("b")
    room.joined.look()
    assert room.asked == ["bbbbbbbb"]
    assert room.told == []
    room.answers_with("b", OTHER)
    room.joined.look()
    assert room.told == [f"torch 0.9 on 10.0.0.1 (bbbbbbbb), {HERE['versions']['torch']} here"]
    assert is_fit(node("b"))
    assert request(BUNDLE)({})._kwargs == {}


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        (BARE, "torch, peft not installed there. Install"),
        (STALE, "another version of tuneoff"),
        (BLIND, "sees no GPU"),
        (SMALL, "its GPU has 24 GiB, and trials were measured for 80 GiB. `tuneoff resume` counts on it"),
    ],
)
def test_one_that_cannot_train_is_told_and_no_later_trial_is_placed_there(facts, why):
    room = Room()
    room.joins("c")
    room.joins("b")
    room.answers_with("b", facts)
    (told,) = room.told
    assert told.startswith("The node 10.0.0.1 (bbbbbbbb) cannot train, so no trial is given to it: ")
    assert why in told
    assert [is_fit(node(name)) for name in "abc"] == [True, False, True]
    room.answers_with("c", facts)
    copy = cloudpickle.loads(cloudpickle.dumps(request(BUNDLE)))  # Tune asks a copy
    selector = [{"ray.io/node-id": "!in(bbbbbbbb,cccccccc)"}]
    assert copy({})._kwargs == {"bundle_label_selector": selector}


def test_of_one_type_a_gpu_may_have_a_little_less():
    room = Room()
    room.joins("b")
    room.answers_with("b", {**HERE, "gpu_bytes": 79 * 2**30})
    assert is_fit(node("b"))


def test_one_that_has_gone_again_has_nothing_to_say():
    room = Room()
    room.joins("b")
    room.answers["bbbbbbbb"].set_exception(WorkerCrashedError())
    room.joined.look()
    assert room.told == []


def test_the_next_sweep_knows_nothing_of_the_nodes_of_the_last():
    room = Room()
    room.joins("b")
    room.answers_with("b", BARE)
    Room()
    assert is_fit(node("b"))


def observer(real=nodes.observer):
    """The real one, but for what a node says that was started with BARE_NODE in its environment."""
    observe_really = real()

    def observe(*arguments: Any) -> nodes.Facts:
        import os

        found = observe_really(*arguments)
        if "BARE_NODE" in os.environ:
            found["versions"]["torch"] = None
        return found

    return observe


class Needy(replay.Replay):
    """Needs torch, which bare nodes have not."""

    def _begin(self, config: dict[str, Any]) -> None:
        if "BARE_NODE" in os.environ:
            raise ModuleNotFoundError("No module named 'torch'")
        super()._begin(config)


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_trials_outlive_a_node_that_joins_and_cannot_train(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(nodes, "observer", observer)
    task = replay.plant_task(tmp_path / "task", seconds=0.5)
    sweep = replay.sweep(task, search__trials_per_method=6, final__seeds=1)
    with started(num_cpus=1) as cluster:

        def joins(event: Event, record: Record) -> None:
            if event == "rung" and len(cluster.list_all_nodes()) == 1:
                with pytest.MonkeyPatch.context() as patch:
                    patch.setenv("BARE_NODE", "1")
                    cluster.add_node(num_cpus=2)

        results = run(sweep, tmp_path / "run", address=cluster.address, listeners=[joins], trainable=Needy)
        ray.init(address=cluster.address, log_to_driver=False)
        placed, waits = (request(BUNDLE)({}).to_placement_group() for _ in range(2))
        assert placed.wait(60) or waits.wait(60)
        assert not (placed.wait(2) and waits.wait(2))  # the bare node is idle, but not for them
        ray.shutdown()
    told = [line for line in caplog.messages if "cannot train, so no trial is given to it: torch" in line]
    assert len(told) == 1
    assert "cannot train" in results.provenance["placement"]["differences"][0]
    assert {record.status for record in results.records} <= {"completed", "stopped"}
    assert {record.failures for record in results.records} == {0}
    assert len(results.records) == 2 * (6 + 1) + 1
