import os
import subprocess
import sys
import time
from typing import Any

import psutil
import pytest
from ray import tune

from search.cluster.connection import connected
from search.cluster.preloading import MODULES, environment, preloaded
from search.config.settings import Resources
from trainables.trainable import FineTune


@pytest.fixture
def machine(monkeypatch):
    """A machine with so many CPUs and GPUs."""

    def make(cpus: int, gpus: int = 0) -> None:
        monkeypatch.setattr("search.cluster.preloading.get_num_cpus", lambda: cpus)
        monkeypatch.setattr("search.cluster.preloading._has_gpu", lambda: gpus > 0)
        monkeypatch.delenv("OMP_NUM_THREADS", raising=False)

    return make


def test_workers_preload_where_each_will_train(machine):
    machine(cpus=8)
    assert preloaded(Resources(), FineTune) == {
        "PL_DISABLE_FORK": "1",
        "RAY_preload_python_modules": ",".join(MODULES),
        "OMP_NUM_THREADS": "1",
    }
    assert preloaded(Resources(cpus_per_trial=2), FineTune)["OMP_NUM_THREADS"] == "2"
    assert preloaded(Resources(concurrent_trials=4), FineTune)


@pytest.mark.parametrize("resources", [Resources(concurrent_trials=3), Resources(cpus_per_trial=4)])
def test_workers_that_would_idle_do_not(machine, resources):
    machine(cpus=8)
    assert preloaded(resources, FineTune) == {}


def test_workers_of_a_trainable_that_trains_nothing_do_not(machine):
    class Replay(FineTune):
        pass

    machine(cpus=8)
    assert preloaded(Resources(), Replay) == {}


def test_workers_beside_a_gpu_do_not(machine):
    machine(cpus=8, gpus=1)
    assert preloaded(Resources(), FineTune) == {}


def test_threads_that_the_user_set_stay(machine, monkeypatch):
    machine(cpus=8)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert preloaded(Resources(), FineTune)["OMP_NUM_THREADS"] == "3"


def test_the_environment_is_given_back(monkeypatch):
    monkeypatch.setenv("KEPT", "1")
    monkeypatch.delenv("NEW", raising=False)
    with environment({"KEPT": "2", "NEW": "3"}):
        assert (os.environ["KEPT"], os.environ["NEW"]) == ("2", "3")
    assert os.environ["KEPT"] == "1"
    assert "NEW" not in os.environ


def test_what_is_preloaded_does_not_look_for_gpus():
    """A worker is told only later which GPUs are its own; CUDA would not hear of it."""
    code = f"""
import torch
asked = []
for name in ("is_available", "device_count", "_lazy_init"):
    setattr(torch.cuda, name, lambda name=name: asked.append(name))
import {", ".join(MODULES)}
print(asked)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.ray
@pytest.mark.slow
def test_trials_run_in_the_workers_that_were_started_first(tmp_path):
    """Each has imported all that trains, and counts its threads as a trial does."""

    class Told(tune.Trainable):
        def step(self) -> dict[str, Any]:
            import torch

            known = sorted(set(MODULES) & set(sys.modules))
            return {"pid": os.getpid(), "known": known, "threads": torch.get_num_threads(), "done": True}

    workers = preloaded(Resources(), FineTune)
    with connected(None, workers=workers):
        while not (first := {process.pid for process in idle()}):
            time.sleep(0.1)
        run_config = tune.RunConfig(storage_path=str(tmp_path), verbose=0)
        (result,) = tune.Tuner(Told, run_config=run_config).fit()
    assert result.metrics["pid"] in first
    assert result.metrics["known"] == sorted(MODULES)
    assert result.metrics["threads"] == 1


def idle() -> list[psutil.Process]:
    """Ray's workers that nobody has asked for anything."""
    below = psutil.Process().children(recursive=True)
    return [process for process in below if "ray::IDLE" in " ".join(process.cmdline())]
