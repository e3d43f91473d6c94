"""A task's options: what cannot be had is refused with the remedy; what can be had changes nothing else."""

import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM, LlamaPreTrainedModel

import spaces
from tests.matrix import by_turns
from tests.relatives import CONFIGURATIONS, SEQ2SEQ
from tests.tiny import EOS, PAD, tokenizer
from tests.trainables.test_preflight_checks import ask
from trainables import options
from trainables.data import Example
from trainables.encode import load_encoder
from trainables.errors import InputError, NotApplicable
from trainables.kernels import BIASED
from trainables.loop import FineTuning
from trainables.loss import summed_cross_entropy
from trainables.model import LoadedModel, checksum, total_parameters
from trainables.options import check_options, loading_options
from trainables.targets import is_quantized
from trainables.task import Task
from trainables.workbench import Workbench

ROOT = Path(__file__).parents[2]
CPU, GPU = torch.device("cpu"), torch.device("cuda")
EVERY_ARCHITECTURE = ("t5", "bart", "llama", *CONFIGURATIONS)
CHECKPOINTED = [(name, method) for name in EVERY_ARCHITECTURE for method in ("full", "lora", "prompt_tuning")]
DAILY = [("t5", "lora"), ("bart", "full"), ("llama", "prompt_tuning"), ("gpt2", "lora")]
WITHOUT_SDPA = ("gemma2",)
"""Its attention caps the scores, which sdpa cannot do."""


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"quantize": "4bit"},
            "task.quantize: 4bit needs an NVIDIA GPU.*gpus_per_trial is not 0.*set it to null",
        ),
        (
            {"attention": "flash_attention_2"},
            "task.attention: flash_attention_2 needs an NVIDIA GPU.*to auto",
        ),
    ],
)
def test_what_needs_a_gpu_is_refused_without_one(
    make_task: Callable[..., Task], changes: dict[str, Any], told: str
) -> None:
    with pytest.raises(InputError, match=told):
        LoadedModel(make_task("llama", **changes))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"quantize": "4bit"}, r"needs the package bitsandbytes.*pip install 'tuneoff\[quantize\]'"),
        ({"attention": "flash_attention_2"}, "needs the package flash_attn.*pip install flash-attn"),
    ],
)
def test_what_needs_a_package_is_refused_without_it(
    make_task: Callable[..., Task], monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], told: str
) -> None:
    task = make_task("llama", **changes)
    monkeypatch.setattr(options, "find_spec", lambda package: None)
    with pytest.raises(InputError, match=told):
        check_options(task, GPU, torch.bfloat16, is_encoder_decoder=False)
    monkeypatch.setattr(options, "find_spec", lambda package: package)
    check_options(task, GPU, torch.bfloat16, is_encoder_decoder=False)


def test_flash_attention_is_refused_in_fp32(
    make_task: Callable[..., Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(options, "find_spec", lambda package: package)
    with pytest.raises(InputError, match=r"needs task\.precision bf16 or fp16, not fp32"):
        check_options(make_task("llama", attention="flash_attention_2"), GPU, None, is_encoder_decoder=False)


@pytest.mark.parametrize("name", ["t5", "bart", *SEQ2SEQ])
def test_an_encoder_decoder_is_not_packed(make_task: Callable[..., Task], name: str) -> None:
    with pytest.raises(InputError, match=r"task\.packing: only causal models.*Set it to false"):
        LoadedModel(make_task(name, packing=True))


def test_nothing_is_asked_where_nothing_is_set(make_task: Callable[..., Task]) -> None:
    task = make_task("llama")
    check_options(task, CPU, None, is_encoder_decoder=True)
    assert loading_options(task, CPU) == {}


def test_four_bits_are_qloras(make_task: Callable[..., Task]) -> None:
    """Section 3 of the paper: NF4, double quantisation, bf16 products; all on the trial's own device."""
    loading = loading_options(make_task("llama", quantize="4bit"), GPU)
    asked = loading["quantization_config"].to_dict()
    expected = {
        "load_in_4bit": True,
        "bnb_4bit_quant_type": "nf4",
        "bnb_4bit_use_double_quant": True,
        "bnb_4bit_compute_dtype": "bfloat16",
    }
    assert expected.items() <= asked.items()
    assert loading["device_map"] == {"": GPU}


ON_FOUR_BITS = ("lora", "rslora", "dora", "randlora")
"""peft has layers of their own for these."""
BESIDE_FOUR_BITS = ("ln_tuning", "prompt_tuning", "prefix_tuning", "p_tuning")
"""These leave linear layers alone."""


@pytest.mark.parametrize(
    "method", sorted({*spaces.available()} - {*ON_FOUR_BITS, *BESIDE_FOUR_BITS, "bitfit"})
)
def test_a_method_that_needs_whole_weights_is_refused_on_quantised_ones(
    bench: Callable[..., Workbench], monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    base = bench("llama").base
    monkeypatch.setattr(base.model, "is_quantized", True, raising=False)
    with pytest.raises(NotApplicable, match="quantised"):
        base.attach(method, spaces.get(method).default)
    assert not any(p.requires_grad for p in base.model.parameters())


def test_biases_beside_quantised_weights_are_not_trained(
    bench: Callable[..., Workbench], monkeypatch: pytest.MonkeyPatch
) -> None:
    base = bench("bart").base
    monkeypatch.setattr(base.model, "is_quantized", True, raising=False)
    with pytest.raises(NotApplicable, match="quantised"):
        base.attach("bitfit", {})


@pytest.mark.slow
@pytest.mark.parametrize("method", [*ON_FOUR_BITS, *BESIDE_FOUR_BITS])
def test_what_can_be_trained_beside_four_bits_passes_its_checks(
    make_task: Callable[..., Task], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, method: str
) -> None:
    """On a CPU, where bitsandbytes has slow kernels: nobody would train there, but the way is the same."""
    modules = pytest.importorskip("bitsandbytes.nn.modules", reason="the extra `quantize` is not installed")
    monkeypatch.setattr(options, "_check_gpu", lambda *asked: None)
    # Else a CPU with AVX-512 lays the weights out anew when they are first used, which no GPU does.
    monkeypatch.setattr(modules, "has_avx512bf16", lambda: False)
    sizes = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 2}
    words = tokenizer("llama")
    words.save_pretrained(tmp_path)
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=len(words), initializer_range=0.2, pad_token_id=PAD, eos_token_id=EOS, **sizes
    )
    whole = LlamaForCausalLM(config)
    whole.save_pretrained(tmp_path)
    table = Workbench(make_task("llama", model=str(tmp_path), quantize="4bit"), data_seed=0)
    assert is_quantized(table.base.model)
    assert total_parameters(table.base.model) == total_parameters(whole)
    with warnings.catch_warnings(action="ignore"):
        findings = ask(table, method, costliest=spaces.get(method).default)
    assert [g for g in findings.checks if g.verdict == "fail"] == []
    assert checksum(table.base.model) == checksum(LoadedModel(table.task).model)


def loss_and_gradients(tuning: FineTuning, count: int = 6) -> dict[str, Tensor]:
    """Of one batch, with dropout, from the same random numbers; peft's adapters begin away from zero."""
    torch.manual_seed(5)
    with torch.no_grad():
        for p in tuning.parameters.values():
            p.add_(torch.randn_like(p), alpha=0.02)
    batch = tuning.bench.encoded("train")[:count]
    torch.manual_seed(7)
    loss = summed_cross_entropy(tuning.base, tuning.model.train(), batch)
    loss.backward()
    gradients = {name: p.grad for name, p in tuning.parameters.items() if p.grad is not None}
    return {"loss": loss.detach(), **gradients}


@by_turns(CHECKPOINTED, DAILY)
def test_gradient_checkpointing_gives_the_same_gradients(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning], name: str, method: str
) -> None:
    found = []
    for on in (False, True):
        table = bench(name, gradient_checkpointing=on)
        tuning = tune(table, method)
        with table.base.unfused():  # with checkpointing LoRA's pass is peft's
            found.append(loss_and_gradients(tuning))
    plain, checkpointed = found
    assert len(plain) > 1
    assert plain.keys() == checkpointed.keys()
    for key, value in plain.items():
        torch.testing.assert_close(value, checkpointed[key], rtol=0, atol=0)


@pytest.mark.parametrize("name", ["t5", "llama"])
def test_checkpointing_computes_each_block_twice_in_training_and_leaves_no_trace(
    bench: Callable[..., Workbench], tune: Callable[..., FineTuning], name: str
) -> None:
    table = bench(name, gradient_checkpointing=True)
    before = {part: set(vars(module)) for part, module in table.base.model.named_modules()}
    tuning = tune(table, "lora", learning_rate=0.0)
    flops = tuning.advance(8) and tuning.cost()["train_flops"]
    tuning.close()
    assert {part: set(vars(module)) for part, module in table.base.model.named_modules()} == before
    assert not table.base.model.is_activation_checkpointing
    plain = tune(bench(name), "lora", learning_rate=0.0)
    assert flops > 1.2 * (plain.advance(8) and plain.cost()["train_flops"])


def test_prefixes_are_refused_with_checkpointing(bench: Callable[..., Workbench]) -> None:
    with pytest.raises(NotApplicable, match="gradient checkpointing drops"):
        bench("llama", gradient_checkpointing=True).base.attach(
            "prefix_tuning", spaces.get("prefix_tuning").default
        )


def test_a_model_that_cannot_be_checkpointed_is_refused(
    make_task: Callable[..., Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LlamaPreTrainedModel, "supports_gradient_checkpointing", False)
    with pytest.raises(InputError, match="gradient_checkpointing: LlamaForCausalLM does not support it"):
        LoadedModel(make_task("llama", gradient_checkpointing=True))


@pytest.mark.slow
def test_checkpointing_takes_less_memory_and_the_gate_knows_it(tmp_path: Path) -> None:
    """In a process of its own: the peak of a step of a deeper model, with and without."""
    command = [sys.executable, "-m", "tests.trainables.deep", str(tmp_path)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    plain, checkpointed = map(int, result.stdout.split())
    assert 0 < checkpointed < 0.8 * plain


@pytest.mark.parametrize("cut", [1, 4, 9])
@pytest.mark.parametrize("family", ["t5", "bart", "llama"])
def test_the_start_of_a_long_source_is_cut_and_the_instruction_around_it_stays(
    make_task: Callable[..., Task], family: str, cut: int
) -> None:
    source = "Ann: Where is the lamp? I have looked for it all day.\nBen: It is in the attic."
    example = Example(
        "train-0", source, f"Summarize:\n\n{source}\n\nSummary: ", ("It is.",), (12, 12 + len(source))
    )
    full = load_encoder(make_task(family)).encode([example])[0].source
    encoder = load_encoder(make_task(family, max_source_tokens=len(full) - cut, truncation_side="start"))
    encoded = encoder.encode([example])[0]
    assert (len(encoded.source), encoded.source_cut) == (len(full) - cut, cut)
    words = encoder.tokenizer.decode(encoded.source, skip_special_tokens=True).split()
    assert (words[0], words[-1]) == ("Summarize:", "Summary:")
    kept = " ".join(words[1:-1])
    assert kept != " ".join(source.split())
    assert " ".join(source.split()).endswith(kept)


@pytest.mark.parametrize("name", EVERY_ARCHITECTURE)
def test_attention_is_the_same_however_it_is_computed(
    bench: Callable[..., Workbench], make_task: Callable[..., Task], name: str
) -> None:
    eager = bench(name, attention="eager").base
    assert eager.model.config._attn_implementation == "eager"
    if name in WITHOUT_SDPA:
        with pytest.raises(InputError, match=r"task\.attention: sdpa cannot be had here\. Set it to auto"):
            LoadedModel(make_task(name, attention="sdpa"))
        assert bench(name).base.model.config._attn_implementation == "eager"
        return
    sdpa = bench(name, attention="sdpa").base
    assert sdpa.model.config._attn_implementation == "sdpa"
    assert bench(name).base.model.config._attn_implementation in ("sdpa", BIASED)
    examples = bench(name).encoded("train")[:5]
    with torch.no_grad():
        first, second = (summed_cross_entropy(base, base.model.eval(), examples) for base in (eager, sdpa))
    torch.testing.assert_close(first, second, rtol=1e-5, atol=1e-4)
