"""Names of libraries that are not public: what each is trusted to do, and that they are used in one place."""

import ast
import os
import re
from pathlib import Path
from typing import Any

import pytest
import ray
import torch
from ray import tune
from ray._private import services
from ray._raylet import AuthenticationTokenLoader  # type: ignore[attr-defined] # made by Cython
from ray.tune.execution import class_cache
from ray.tune.experiment import Trial
from sacrebleu.metrics.chrf import CHRF
from transformers import GPT2Config, GPT2LMHeadModel

from search.cluster.connection import connected
from search.compat import (
    actor_id,
    job_runtime_env,
    keep_keys_from_runtime_env,
    machine_resources,
    memory_bytes,
    object_store_bytes,
    reload_token,
    start_ray,
    worker_of,
)
from trainables.compat.sacrebleu import sufficient_statistics
from trainables.compat.torch import (
    CPU_ATTENTION,
    CPU_ATTENTION_BACKWARD,
    TorchDispatchMode,
    copy_all,
    multiply_all,
)
from trainables.compat.transformers import attention_of, next_model_kwargs

ROOT = Path(__file__).parents[1]
SOURCES = sorted(
    file.relative_to(ROOT)
    for package in ("search", "spaces", "trainables")
    for file in (ROOT / package).rglob("*.py")
    if file.parent.name != "compat"
)
OURS = {"search", "spaces", "trainables"}
PUBLIC = {"os._exit", "_thread"}
"""Documented in spite of their names."""


def private_names(source: str) -> set[str]:
    """Names with a leading underscore that are imported from a library, or asked of an object not our own."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] not in OURS:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) not in ("self", "cls", "super()"):
            found |= {ast.unparse(node)} if re.match("_(?!_)", node.attr) else set()
    return {name for name in found if re.search(r"\b_(?!_)", name)} - PUBLIC


@pytest.mark.parametrize("file", SOURCES, ids=str)
def test_private_names_of_libraries_are_used_in_compat_only(file: Path) -> None:
    assert private_names((ROOT / file).read_text(encoding="utf-8")) == set()


def test_a_private_name_is_found() -> None:
    source = "import ray._private.x\nfrom ray._raylet import C\nstudy._study_id\nself._mine\nos._exit(1)"
    assert private_names(source) == {"ray._private.x", "ray._raylet.C", "study._study_id"}


def test_tune_leaves_the_drivers_keys_out_of_the_runtime_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    # whatever another test has left of it
    monkeypatch.setattr(class_cache, "ENV_VARS_TO_PROPAGATE", {"AWS_SECRET_ACCESS_KEY"})
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "planted")

    def sent() -> dict[str, str]:
        options = class_cache._ActorClassCache().get(type("Trainable", (), {}))._default_options
        variables: dict[str, str] = options["runtime_env"]["env_vars"]
        return variables

    assert "AWS_SECRET_ACCESS_KEY" in sent()
    keep_keys_from_runtime_env()
    assert "AWS_SECRET_ACCESS_KEY" not in sent()


def test_ray_on_loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "node_ip_address_from_perspective", lambda address: "from outside")
    monkeypatch.setattr("ray._private.worker._global_node", None)
    monkeypatch.setattr(ray, "init", lambda **options: found.append(services.get_node_ip_address()))
    found: list[str] = []
    start_ray(None)
    assert found == ["127.0.0.1"]
    assert services.get_node_ip_address() == "from outside"


def test_ray_reads_its_token_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    for token in ("planted", "planted anew"):
        monkeypatch.setenv("RAY_AUTH_TOKEN", token)
        reload_token()
        assert AuthenticationTokenLoader.instance().get_raw_token() == token
    monkeypatch.undo()
    reload_token()


def test_the_runtime_environment_of_a_submitted_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_JOB_CONFIG_JSON_ENV_VAR", raising=False)
    assert job_runtime_env() == {}
    monkeypatch.setenv("RAY_JOB_CONFIG_JSON_ENV_VAR", '{"runtime_env": {"py_modules": ["a"]}}')
    assert job_runtime_env() == {"py_modules": ["a"]}


def test_the_memory_that_ray_counts_and_what_it_asks_of_shared_memory() -> None:
    free, total = memory_bytes()
    assert 0 < free < total
    asked = object_store_bytes(10 * 2**30)
    assert asked == pytest.approx(3 * 2**30, rel=1e-6)
    folder, _, _ = services.determine_plasma_store_config(asked, temp_dir="/tmp")
    shared = os.statvfs("/dev/shm")
    assert folder == ("/dev/shm" if shared.f_bavail * shared.f_frsize >= asked else "/tmp")


class Worker(tune.Trainable):
    """Reports which actor it is."""

    def step(self) -> dict[str, Any]:
        return {"actor": ray.get_runtime_context().get_actor_id(), "done": True}


class Listener(tune.Callback):
    def __init__(self) -> None:
        self.actors: list[str] = []

    def on_trial_start(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        worker = worker_of(trial)
        assert worker is not None
        self.actors.append(actor_id(worker))


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(240)
def test_ray_counts_the_cpus_and_gpus_of_a_machine_as_it_says_beforehand() -> None:
    counted = machine_resources()
    with connected(None):
        found = ray.cluster_resources()
    assert counted == {name: found.get(name, 0.0) for name in ("CPU", "GPU")}


@pytest.mark.ray
@pytest.mark.timeout(240)
def test_the_worker_of_a_trial_of_tune(cluster: str, tmp_path: Path) -> None:
    listener = Listener()
    with connected(cluster):
        run_config = tune.RunConfig(storage_path=str(tmp_path), callbacks=[listener], verbose=0)
        (result,) = tune.Tuner(Worker, run_config=run_config).fit()
    assert result.metrics is not None
    assert listener.actors == [result.metrics["actor"]]


def test_the_inputs_of_the_next_step_of_generation() -> None:
    model = GPT2LMHeadModel(GPT2Config(n_layer=1, n_embd=8, n_head=2, vocab_size=11)).eval()
    tokens = torch.tensor([[1, 2, 3]])
    with torch.no_grad():
        outputs = model(input_ids=tokens, use_cache=True)
        kwargs = next_model_kwargs(model, outputs, {"attention_mask": torch.ones_like(tokens)})
    assert kwargs["past_key_values"].get_seq_length() == 3
    assert kwargs["attention_mask"].shape == (1, 4)


def test_torch_dispatches_the_cpus_attention_by_name() -> None:
    class Seen(TorchDispatchMode):
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            seen.add(func.overloadpacket)
            return func(*args, **(kwargs or {}))

    seen: set[Any] = set()
    query, key, value = (torch.randn(1, 2, 16, 8, requires_grad=True) for _ in range(3))
    with Seen():
        torch.nn.functional.scaled_dot_product_attention(query, key, value).sum().backward()
    assert {CPU_ATTENTION, CPU_ATTENTION_BACKWARD} <= seen


def test_the_counts_of_chrf_add_up_to_its_corpus_score() -> None:
    metric, texts = CHRF(), ["the cat sat", "a dog ran far"]
    references = [["the cat sits"], ["a dog has run far"]]
    pairs = zip(texts, references, strict=True)
    counts = [sufficient_statistics(metric, text, row) for text, row in pairs]
    total = [sum(column) for column in zip(*counts, strict=True)]
    expected = metric.corpus_score(texts, [[row[0] for row in references]]).score
    assert metric._compute_f_score(total) == pytest.approx(expected)


def test_the_attention_of_a_model() -> None:
    model = GPT2LMHeadModel(GPT2Config(n_layer=1, n_embd=8, n_head=2, vocab_size=11))
    for name in ("eager", "sdpa"):
        model.set_attn_implementation(name)
        assert attention_of(model) == name


def test_torch_copies_many_tensors_at_once_into_another_dtype() -> None:
    tensors = [torch.randn(3, 2), torch.randn(5)]
    copies = [torch.empty_like(tensor, dtype=torch.bfloat16) for tensor in tensors]
    copy_all(copies, tensors)
    assert all(torch.equal(copy, tensor.bfloat16()) for copy, tensor in zip(copies, tensors, strict=True))


def test_torch_multiplies_many_tensors_at_once() -> None:
    tensors, factors = [torch.randn(3, 2), torch.randn(5)], (2.0, 0.3)
    wanted = [tensor * factor for tensor, factor in zip(tensors, factors, strict=True)]
    found = multiply_all(tensors, factors)
    assert all(torch.equal(each, theirs) for each, theirs in zip(found, wanted, strict=True))
