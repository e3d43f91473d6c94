"""Ask every node of a joined cluster the same question, also where some do not answer."""

import time
from collections.abc import Callable
from typing import TypeVar

import ray
from ray.exceptions import RayError

from search.cluster import nodes

T = TypeVar("T")

ANSWER_SECONDS = 180
"""A process of its own starts on each node for it, and may import torch."""


def ask_each(task: Callable[..., T], *arguments: object) -> dict[str, T | RayError]:
    """What `task` answers on each node that can train, by the node's name; or why it does not answer.

    It is called with the GPUs that Ray counts on the node, then `arguments`, in a process of its own, which
    then ends: so it may look at all the GPUs of its machine.
    """
    asked = {
        nodes.name(node): nodes.on(node, task, node["Resources"].get("GPU", 0.0), *arguments, max_calls=1)
        for node in nodes.able(ray.nodes())
    }
    deadline = time.monotonic() + ANSWER_SECONDS
    answers: dict[str, T | RayError] = {}
    for node, answer in asked.items():
        try:
            answers[node] = ray.get(answer, timeout=max(0.0, deadline - time.monotonic()))
        except RayError as error:
            answers[node] = error
    return answers


def version_differences() -> list[str]:
    """What differs on the nodes from this machine's versions, in words, a line a difference."""
    return nodes.differences(nodes.facts(), nodes.here())
