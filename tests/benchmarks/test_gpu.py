"""The benchmark of a GPU: its parts on models that a CPU does, and what becomes of a part that fails."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM

from benchmarks.gpu import parts, recovery, sharing
from benchmarks.gpu.__main__ import main
from benchmarks.gpu.device import preparation
from benchmarks.gpu.generation import generation, written
from benchmarks.gpu.shapes import prepare, shapes
from benchmarks.gpu.table import lines
from benchmarks.gpu.training import ours, training
from benchmarks.peers import script
from benchmarks.peers.parts import load_model
from benchmarks.training import trained
from benchmarks.work import METHODS, Work, point
from tests.shadow_cuda import ShadowCuda
from trainables.loop import FineTuning
from trainables.model import trainable_parameters
from trainables.workbench import Workbench

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.filterwarnings("ignore")  # what the peers' users get to see too


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("gpu")
    prepare(made, quick=True)
    return made


@pytest.fixture(scope="module")
def causal(folder: Path) -> Work:
    return Work.read(folder / "llama-1b.json")


def test_the_shapes_are_those_of_the_models_that_they_are_named_after() -> None:
    counts = {}
    for name, shape in shapes(quick=False).items():
        loader = AutoModelForSeq2SeqLM if shape.config.is_encoder_decoder else AutoModelForCausalLM
        with torch.device("meta"):
            counts[name] = loader.from_config(shape.config).num_parameters()
    assert counts == {"flan-t5-small": 60_511_616, "llama-1b": 1_235_814_400}


@pytest.mark.parametrize(
    ("method", "changes"),
    [("full", {}), ("lora", {}), ("lora", {"targets": "attention"}), ("prompt_tuning", {})],
)
def test_a_peer_trains_the_same_parameters_of_a_causal_model(
    causal: Work, method: str, changes: dict[str, Any]
) -> None:
    tuning = FineTuning(
        Workbench(causal.task(), data_seed=0), method, point(method, **changes), examples=8, seed=0
    )
    theirs = load_model(causal, method, point(method, **changes))
    assert trainable_parameters(theirs) == trainable_parameters(tuning.model)


def test_a_peer_learns_the_same_of_a_causal_model(causal: Work, tmp_path: Path) -> None:
    bench, hyperparameters = Workbench(causal.task(), data_seed=0), point("full")
    trainer = script.make_trainer(causal, "full", hyperparameters, output=str(tmp_path), num_train_epochs=1)
    encoded = bench.encoded("train")
    for row, example in zip(trainer.train_dataset, encoded, strict=True):
        assert row["input_ids"] == [*example.source, *example.target]
        assert row["labels"] == [-100] * len(example.source) + example.target
    trained(trainer, len(encoded))
    tuning = FineTuning(bench, "full", hyperparameters, examples=len(encoded), seed=0)
    losses = tuning.advance(len(encoded))
    assert trainer.state.global_step == len(losses)
    # The batches hold other examples, so the losses are alike, not equal.
    assert trainer.state.log_history[-1]["train_loss"] == pytest.approx(sum(losses) / len(losses), rel=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("shape", parts.SHAPES)
def test_training_is_measured_beside_a_trainer(folder: Path, shape: str) -> None:
    found = training(folder, quick=True, shape=shape, method="lora")
    ours, theirs = found["sides"]["tuneoff"], found["sides"]["Seq2SeqTrainer"]
    assert ours["rounds"][0]["units"] == theirs["rounds"][0]["units"] == found["examples"] == 16
    assert 0 < ours["share_of_peak"] < 1
    assert theirs["share_of_peak"] is None
    assert found["predicted_peak_bytes"] > 0
    answer = {"seconds": 3, "figures": json.loads(json.dumps(found))}
    assert " % of peak" in list(lines("training x", answer))[1]


@pytest.mark.parametrize("shape", parts.SHAPES)
def test_tokens_are_counted_up_to_the_end(folder: Path, shape: str) -> None:
    found = generation(folder, quick=True, shape=shape)
    assert found["sources"] == 4
    assert 4 <= found["tokens"] <= 4 * 8
    assert found["tokens_per_second"] == pytest.approx(found["tokens"] / found["seconds"])
    assert [written(row, {1}) for row in ([5, 1, 0, 0], [5, 6], [1])] == [2, 2, 1]


@pytest.mark.slow
def test_what_follows_running_out_of_memory_and_a_second_run_with_the_same_seed(folder: Path) -> None:
    found = recovery.from_out_of_memory(folder, quick=True)
    assert found["found"] == "requested 1,125,899,906,842,624 bytes"
    assert found["trains_on_with_equal_losses"]
    again = recovery.determinism(folder, quick=True, deterministic=False)
    assert {(each["equal_losses"], each["equal_outputs"]) for each in again.values()} == {(True, True)}


def test_what_is_tuneoff_s_own_keeps_to_cuda_s_rules(folder: Path, tmp_path: Path) -> None:
    """Also where an error is caught."""
    with ShadowCuda() as device:
        found = preparation(tmp_path, quick=True)
        assert generation(tmp_path, quick=True, shape="llama-1b")["tokens"] > 0
        bench = Workbench(Work.read(folder / "llama-1b.json").task(), data_seed=0)
        spent = ours(bench, "lora", 8)
    assert [gpu["name"] for gpu in found["device"]["gpus"]] == ["Shadow"]
    assert spent.peak_bytes > sum(p.numel() * 4 for p in bench.base.model.parameters())
    assert device.counts.of("mismatch") == 0


@pytest.mark.slow
def test_a_limit_halves_the_micro_batch_and_leaves_no_trace(folder: Path) -> None:
    with ShadowCuda():
        found = recovery.from_out_of_memory(folder, quick=True)
    limited = found["limited"]
    assert limited["peak_bytes_of"]["half a batch"] < limited["limit_bytes"]
    assert limited["limit_bytes"] < limited["peak_bytes_of"]["whole batch"]
    assert limited["micro_batches"] == "micro-batch 4 examples, evaluation batches in 1 parts, halved once"
    assert limited["peak_bytes"] <= limited["limit_bytes"]
    assert found["trains_on_after_the_limit_with_equal_losses"]


def test_the_service_is_started_for_the_processes_and_stopped_after_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log"
    control = tmp_path / sharing.CONTROL
    control.write_text(f'#!/bin/sh\necho "$1 $(test -t 0 || cat) $CUDA_MPS_PIPE_DIRECTORY" >> {log}\n')
    control.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(subprocess, "run", _without_input(subprocess.run))
    with sharing.mps() as environment:
        pipes = environment["CUDA_MPS_PIPE_DIRECTORY"]
        assert Path(pipes).is_dir()
    assert log.read_text().splitlines() == [f"-d  {pipes}", f" quit {pipes}"]
    control.unlink()
    with pytest.raises(FileNotFoundError, match="there is no nvidia-cuda-mps-control here"), sharing.mps():
        pytest.fail("there is no such program")


def _without_input(run: Callable[..., Any]) -> Callable[..., Any]:
    """The planted program reads all that it is given: where nothing is, it must not wait for a terminal."""
    return lambda *args, **how: run(
        *args, **({"stdin": subprocess.DEVNULL} if "input" not in how else {}) | how
    )


@pytest.mark.slow
def test_a_part_that_fails_or_hangs_leaves_its_error(tmp_path: Path) -> None:
    failed = parts.isolated("generation llama-1b", tmp_path, quick=True)
    assert "FileNotFoundError" in failed["error"]
    assert len(failed["error"].splitlines()) <= parts.LAST_LINES
    assert "  failed: not done after 0.1 s" in list(
        lines("determinism", parts.isolated("determinism", tmp_path, quick=True, seconds=0.1))
    )


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_processes_train_at_the_same_time_and_one_that_fails_is_told(folder: Path, tmp_path: Path) -> None:
    found = sharing.together(2, folder / "flan-t5-small.json", 8, {})
    assert len(found["seconds"]) == 2
    assert found["examples_per_second"] == pytest.approx(16 / max(found["seconds"]))
    assert found["errors"] == []
    failed = sharing.together(1, tmp_path / "absent.json", 8, {})
    assert failed["examples_per_second"] is None
    assert "FileNotFoundError" in failed["errors"][0]


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_program_runs_to_its_end_and_leaves_one_file(tmp_path: Path) -> None:
    file = tmp_path / "gpu.json"
    command = [sys.executable, "-m", "benchmarks.gpu", "--quick", "--json", str(file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found = json.loads(file.read_text())
    assert list(found["parts"]) == list(parts.PARTS)
    assert [name for name, answer in found["parts"].items() if "error" in answer] == []
    assert found["versions"]["torch"] == torch.__version__
    assert set(found["parts"]["checks"]["figures"]["methods"]) == set(METHODS)
    assert done.stdout.endswith(f"15 parts of 15 were measured; the file to send: {file}\n")


def test_a_failed_part_does_not_stop_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = []

    def isolated(name: str, *_: Any, **__: Any) -> dict[str, Any]:
        asked.append(name)
        return {"seconds": 1.0, "error": "CUDA error: an illegal memory access was encountered"}

    monkeypatch.setattr("benchmarks.gpu.__main__.isolated", isolated)
    main(["--parts", "sharing", "checks", "--json", str(tmp_path / "gpu.json")])
    assert asked == ["device", "checks", "sharing"]
    assert "0 parts of 3 were measured" in capsys.readouterr().out
    kept = json.loads((tmp_path / "gpu.json").read_text())["parts"]
    assert kept["sharing"]["error"].startswith("CUDA error")
