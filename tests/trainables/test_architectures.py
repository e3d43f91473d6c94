"""T5, mT5, Pegasus, Llama, Qwen, Gemma and GPT-2 types: what a role is in each, and every method's checks."""

import os
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import spaces
from tests.matrix import by_turns
from tests.relatives import CAUSAL, CONFIGURATIONS, SEQ2SEQ
from tests.trainables.test_preflight_checks import ask
from trainables import methods
from trainables.errors import NotApplicable
from trainables.model import LoadedModel
from trainables.preflight.findings import Findings
from trainables.targets import blocks, resolve
from trainables.workbench import Workbench

HAS = {
    "t5-v1": {"torch.nn.Linear layers"},
    "flan-t5": {"torch.nn.Linear layers", "an output head of its own"},
    "mt5": {"torch.nn.Linear layers", "an output head of its own"},
    "pegasus": {"torch.nn.Linear layers", "biases"},
    "qwen2": {"torch.nn.Linear layers", "biases"},
    "qwen3": {"torch.nn.Linear layers", "an output head of its own"},
    "smollm": {"torch.nn.Linear layers"},
    "gemma2": {"torch.nn.Linear layers"},
    "gemma3": {"torch.nn.Linear layers"},
    "gpt2": {"biases"},
}
OFTEN = ("full", "lora", "prompt_tuning")
ALL = [(name, method) for name in CONFIGURATIONS for method in methods.available()]
WINDOWED = [("gemma2", "prefix_tuning"), ("gemma3", "prefix_tuning")]
"""The prefix leaves the window of their attention."""
PAIRS = [pair for pair in ALL if spaces.needs(pair[1]) in (None, *HAS[pair[0]]) and pair not in WINDOWED]
REFUSED = [pair for pair in ALL if pair not in PAIRS]
DAILY = [("flan-t5", "lora"), ("pegasus", "full"), ("gemma3", "prompt_tuning"), ("gpt2", "lora")]
"""One of each kind; the others are slow tests."""

T5_ATTENTION = {"q": 6, "k": 6, "v": 6, "o": 6}
LLAMA_ATTENTION = {"q_proj": 2, "k_proj": 2, "v_proj": 2, "o_proj": 2}
LLAMA_FORWARD = {"gate_proj": 2, "up_proj": 2, "down_proj": 2}
PEGASUS_ATTENTION = {"q_proj": 6, "k_proj": 6, "v_proj": 6, "out_proj": 6}
GATED = {"wi_0": 4, "wi_1": 4, "wo": 4}
ROLES: dict[str, dict[str, dict[str, int]]] = {
    "t5-v1": {"attention": T5_ATTENTION, "feed-forward": {"wi": 4, "wo": 4}, "out": {"wo": 4}},
    "flan-t5": {"attention": T5_ATTENTION, "feed-forward": GATED, "out": {"wo": 4}},
    "mt5": {"attention": T5_ATTENTION, "feed-forward": GATED, "out": {"wo": 4}},
    "pegasus": {"attention": PEGASUS_ATTENTION, "feed-forward": {"fc1": 4, "fc2": 4}, "out": {"fc2": 4}},
    **{
        name: {"attention": LLAMA_ATTENTION, "feed-forward": LLAMA_FORWARD, "out": {"down_proj": 2}}
        for name in ("qwen2", "qwen3", "smollm", "gemma2", "gemma3")
    },
    "gpt2": {
        "attention": {"c_attn": 2, "c_proj": 2},
        "feed-forward": {"c_fc": 2, "c_proj": 2},
        "out": {"c_proj": 2},
    },
}
"""Names of linear layers and how many there are, in two blocks a stack."""
NORMS = {"t5-v1": 12, "flan-t5": 12, "mt5": 12, "pegasus": 12, "qwen2": 5, "qwen3": 9, "smollm": 5} | {
    "gemma2": 9, "gemma3": 13, "gpt2": 5,
}  # fmt: skip
"""Two or three a block and one a stack; Qwen 3 and Gemma 3 also norm queries and keys, Gemma outputs."""
REAL_MODEL = "TUNEOFF_SMOLLM2"
"""The folder of SmolLM2-135M or its instruct version, where one is at hand."""


def last_names(names: list[str]) -> dict[str, int]:
    return dict(Counter(name.rpartition(".")[2] for name in names))


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_roles_are_found_in_every_architecture(bench: Callable[..., Workbench], name: str) -> None:
    model, parts = bench(name).base.model, ROLES[name]
    assert last_names(resolve(model, "attention")) == parts["attention"]
    assert last_names(resolve(model, "all-linear")) == Counter(parts["attention"]) + Counter(
        parts["feed-forward"]
    )
    assert last_names(resolve(model, "feed-forward-out")) == parts["out"]
    keys_and_values = {key: n for key, n in parts["attention"].items() if key[0] in "kv" or key == "c_attn"}
    assert last_names(resolve(model, "keys-values")) == keys_and_values
    assert len(resolve(model, "norms")) == NORMS[name]
    assert len(blocks(model)) == 2


def not_passed(findings: Findings) -> dict[str, str]:
    """What a check objects to; that so small a model moves little at a default's rate is no fault."""
    found = {check.name: check for check in findings.checks if check.verdict != "pass"}
    if "learns" in found and found["learns"].verdict == "warn":
        del found["learns"]
    return {name: check.message for name, check in found.items()}


@by_turns(PAIRS, DAILY)
def test_every_method_passes_its_checks(bench: Callable[..., Workbench], name: str, method: str) -> None:
    """Attached, trained, generated with, saved, loaded, merged, and taken off again."""
    assert not_passed(ask(bench(name), method, costliest=spaces.get(method).default)) == {}


@pytest.mark.parametrize(("name", "method"), REFUSED)
def test_a_method_is_refused_where_the_architecture_lacks_what_it_trains(
    bench: Callable[..., Workbench], name: str, method: str
) -> None:
    with pytest.raises(NotApplicable, match=r"^not applicable: "):
        bench(name).base.attach(method, spaces.get(method).default)


def test_a_prefix_that_stays_in_the_window_is_trained(make_task: Callable[..., Any]) -> None:
    base, point = (
        LoadedModel(make_task("gemma3", max_source_tokens=8, max_target_tokens=4)),
        spaces.get("prefix_tuning"),
    )
    for tokens in (20, 21):
        attach = partial(base.attach, "prefix_tuning", point.default | {"virtual_tokens": tokens})
        if tokens == 20:
            base.restore(attach())
        else:
            with pytest.raises(NotApplicable, match="look back over 32 tokens would not see its prefix"):
                attach()


def test_the_families_are_what_they_are_called(bench: Callable[..., Workbench]) -> None:
    assert {bench(name).base.is_encoder_decoder for name in SEQ2SEQ} == {True}
    assert {bench(name).base.is_encoder_decoder for name in CAUSAL} == {False}


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("method", OFTEN)
def test_the_real_smollm2(make_task: Callable[..., Any], method: str) -> None:
    """https://huggingface.co/HuggingFaceTB/SmolLM2-135M-Instruct, 134,515,008 parameters."""
    folder = os.environ.get(REAL_MODEL)
    if folder is None or not Path(folder).is_dir():
        pytest.skip(f"no folder of SmolLM2-135M: {REAL_MODEL} names one")
    table = Workbench(make_task("llama", model=folder), data_seed=0)
    assert sum(p.numel() for p in table.base.model.parameters()) == 134_515_008
    findings = ask(table, method, costliest=spaces.get(method).default | {"batch_size": 2})
    assert not_passed(findings) == {}
