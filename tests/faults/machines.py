"""A Ray cluster on this machine in which each raylet stands for a machine, to be killed and added."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
from ray.cluster_utils import Cluster

from tests.ray_cluster import started


class Machines:
    """A head without CPUs, so that no trial runs where the driver is, and machines of one CPU each."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.address = cluster.address

    @property
    def names(self) -> list[int]:
        """The machines by the process ids of their raylets, the oldest first."""
        return [_raylet(node) for node in self.cluster.worker_nodes]

    def add(self, count: int = 1) -> None:
        for _ in range(count):
            self.cluster.add_node(num_cpus=1, num_gpus=0)

    def of(self, pid: int) -> int:
        """The machine that a worker is on."""
        return psutil.Process(pid).ppid()

    def kill(self, machine: int) -> None:
        """As when the power fails: the raylet and all that it started are gone."""
        workers = psutil.Process(machine).children(recursive=True)
        os.kill(machine, signal.SIGKILL)
        for worker in workers:
            if worker.is_running():
                worker.kill()
        self._forget(machine)

    def reclaim(self, machine: int) -> None:
        """As a cloud takes a spot machine: its processes are told, and after a while it is off."""
        workers = psutil.Process(machine).children(recursive=True)
        for process in [*workers, psutil.Process(machine)]:
            process.send_signal(signal.SIGTERM)
        _, left = psutil.wait_procs(workers, timeout=5)
        for process in left:
            process.kill()
        self._forget(machine)

    def kill_a_worker(self, machine: int) -> None:
        """One that trains, if there is one; its machine lives on."""
        workers = psutil.Process(machine).children(recursive=True)
        training = [worker for worker in workers if ".train" in " ".join(worker.cmdline())]
        for worker in training[:1]:
            worker.kill()

    def _forget(self, machine: int) -> None:
        node = next(node for node in self.cluster.worker_nodes if _raylet(node) == machine)
        self.cluster.remove_node(node, allow_graceful=False)


def _raylet(node) -> int:
    (raylet,) = node.all_processes["raylet"]
    return raylet.process.pid


@contextmanager
def machines(count: int) -> Iterator[Machines]:
    with started(num_cpus=0) as cluster:
        here = Machines(cluster)
        here.add(count)
        yield here
