"""A sweep of real trials that share two GPUs, which are shadows: their memory, and CUDA errors under them."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from search.cluster import nodes
from search.cluster.placement import CONTEXT_BYTES
from search.config.sweep import Sweep
from search.engine.runner import run
from search.records.record import Record
from search.records.results import Results
from tests.faults.shadow_workers import FAULTS, GPU_BYTES, OnShadow, begun, sees_gpus
from tests.ray_cluster import started
from tests.shadow_device import ROOT
from tests.tiny import PROMPT
from trainables.preflight.room import SHARE_USED

pytestmark = [
    pytest.mark.faults,
    pytest.mark.ray,
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(torch.cuda.is_available(), reason="a shadow is for machines without a GPU"),
]

TOTAL = 80 * 2**30
PLANTED = {
    "lora/0000": ("CUDA error: out of memory", 1),
    "prompt/0000": ("CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`", 1),
    "lora/0001": ("loses its context", 1),
    "prompt/0001": ("shares", 1),
    "checks/lora": ("loses its context", 1),
}


@pytest.fixture(scope="module")
def model(model_folder, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("shadow") / "model"
    shutil.copytree(model_folder("llama", 0.1, True), folder)
    (folder / FAULTS).write_text(json.dumps(PLANTED))
    return folder


@pytest.fixture(scope="module")
def swept(model, data_files) -> Iterator[Results]:
    settings = Sweep.model_validate(
        {
            "name": "shadow",
            "task": {
                "model": str(model),
                "data": data_files,
                "source": "dialogue",
                "target": "summary",
                "prompt": PROMPT,
                "max_source_tokens": 96,
                "max_target_tokens": 12,
                "precision": "fp32",
            },
            "methods": {
                "lora": {"fix": {"batch_size": 8}},
                "prompt": {"base": "prompt_tuning", "fix": {"batch_size": 8}},
            },
            "search": {
                "trials_per_method": 2,
                "sampler": "random",
                "max_epochs": 0.5,
                "validation_samples": 2,
                "scheduler": "none",
            },
            "final": {"seeds": 1, "test_samples": 2},
            "resources": {"gpus_per_trial": 0.5},
        }
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nodes, "observer", sees_gpus)
        patch.setenv("PYTHONPATH", str(ROOT))
        with started(num_cpus=2, num_gpus=2) as gpus:
            yield run(settings, model.parent / "run", address=gpus.address, trainable=OnShadow)


def record(results: Results, trial: str) -> Record:
    return next(record for record in results.records if record.id == trial)


def test_every_trial_and_every_final_is_completed(swept):
    assert {record.id: record.status.value for record in swept.records} == dict.fromkeys(
        [
            *(name for name in PLANTED if "checks" not in name),
            "baseline/seed-0",
            "lora/seed-0",
            "prompt/seed-0",
        ],
        "completed",
    )
    assert {record.failures for record in swept.records} == {0}


@pytest.mark.parametrize("trial", ["lora/0000", "prompt/0000"])
def test_out_of_memory_beside_torch_halves_the_micro_batch(swept, trial):
    assert record(swept, trial).cost["micro_batch_examples"] == 4


def test_a_lost_context_costs_a_process_and_no_failure(swept, model):
    assert record(swept, "lora/0001").device_failures == 1
    processes = [line["pid"] for line in begun(model) if line["name"] == "lora/0001"]
    assert len(processes) == len(set(processes)) == 2
    processes = [line["pid"] for line in begun(model) if line["name"] == "checks/lora"]
    assert len(processes) == len(set(processes)) == 2
    assert swept.folder.read_preflight().failed() == []


def test_each_trial_has_its_share_of_the_memory(swept, model):
    share = 0.5 - CONTEXT_BYTES / TOTAL
    trials = [line for line in begun(model) if line["share"] == 0.5 and "checks" not in line["name"]]
    assert {line["name"] for line in trials} >= {name for name in PLANTED if "checks" not in name}
    assert all(line["fraction"] == pytest.approx(share) for line in trials)


def test_the_checks_count_on_the_share_of_the_smallest_gpu(swept):
    for findings in swept.folder.read_preflight().methods.values():
        figures = findings.figures("memory")
        assert figures["gpu_bytes"] == GPU_BYTES
        room = SHARE_USED["gpu"] * (0.5 * GPU_BYTES - CONTEXT_BYTES)
        assert figures["room_bytes"] == pytest.approx(room, rel=1e-6)


def test_out_of_memory_on_a_shared_gpu_is_tried_again_on_a_whole_one(swept, model):
    apart = record(swept, "prompt/0001")
    assert (apart.whole_gpu, apart.status, apart.error) == (True, "completed", None)
    lines = [line for line in begun(model) if line["name"] == "prompt/0001"]
    assert [(line["share"], line["fraction"] == 1) for line in lines] == [(0.5, False), (1, True)]
    assert begun(model).index(lines[1]) > max(
        begun(model).index(line) for line in begun(model) if line["name"] in ("lora/0000", "lora/0001")
    )
    assert [record.id for record in swept.records if record.whole_gpu] == ["prompt/0001"]
    report = (swept.folder.report / "report.md").read_text()
    assert "Out of memory beside others on a GPU, then run with one to itself: `prompt/0001`" in report


def test_nvml_counts_the_joules_of_the_gpu(swept):
    assert all(record.cost["energy_joules"] > 0 for record in swept.records)
