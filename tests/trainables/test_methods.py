"""What every method must do on every family of models; a new method is tested by being there.

A trial of each pair is told once, from attaching to giving the base back; each test looks at a part of it.
"""

import ast
import hashlib
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from torch import Tensor, nn
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
    GPT2Config,
    GPT2LMHeadModel,
)

import spaces
from tests.matrix import EVERY_PAIR, EVERY_REFUSED_PAIR, HAS, HAS_GPT2, PAIR_PARAMS
from trainables import methods
from trainables.errors import NotApplicable
from trainables.loop import FineTuning
from trainables.workbench import Workbench

ROOT = Path(__file__).parents[2]
STEPS = 3
"""An adapter that begins at zero lets what stands before it learn from step 2."""
SAME_START = {"bitfit", "full", "head_only", "ia3", "ln_tuning", "miss", "oft", "pissa", "top_layers"}
"""Methods that begin at the pretrained model itself, whatever the seed."""
HOOKS = (
    "_forward_hooks",
    "_forward_pre_hooks",
    "_backward_hooks",
    "_backward_pre_hooks",
    "_state_dict_hooks",
)


@dataclass
class Story:
    """What was seen of one method on one family: a short trial, and what is left after it."""

    family: str
    method: str
    is_adapter: bool
    trained: dict[str, nn.Parameter]
    base_parameters: set[int]
    base_total: int
    cost: dict[str, Any]
    reached: dict[str, Tensor]
    """Where a gradient other than zero ever arrived, for each parameter."""
    moved: dict[str, Tensor]
    frozen_is_unmoved: bool
    untrained: Tensor
    answered: tuple[Tensor, list[int]]
    reloaded: tuple[Tensor, list[int]]
    before: dict[str, Any]
    after: dict[str, Any] = field(default_factory=dict)


@pytest.fixture(scope="module", params=PAIR_PARAMS)
def story(
    request: pytest.FixtureRequest, bench: Callable[..., Workbench], tmp_path_factory: pytest.TempPathFactory
) -> Story:
    family, method = request.param
    table, folder = bench(family, taught=True), tmp_path_factory.mktemp("story")
    before, untrained = state(table.base.model), answer(table, table.base.model)[0]
    base = {id(p) for p in table.base.model.parameters()}
    total = sum(p.numel() for p in table.base.model.parameters())
    tuning = started(table, method, seed=1, learning_rate=0.01)
    held = bits(frozen(tuning))
    at_first = {name: p.detach().clone() for name, p in tuning.parameters.items()}
    reached = train(tuning)
    told = Story(
        family,
        method,
        isinstance(tuning.model, PeftModel),
        trained=tuning.parameters,
        base_parameters=base,
        base_total=total,
        cost=tuning.cost(),
        reached=reached,
        moved={name: p.detach() != at_first[name] for name, p in tuning.parameters.items()},
        frozen_is_unmoved=bits(frozen(tuning)) == held,
        untrained=untrained,
        answered=answer(table, tuning.model),
        reloaded=exported_and_loaded(table, tuning, folder / "adapter"),
        before=before,
    )
    tuning.evaluate("validation", 1)
    tuning.save(folder / "checkpoint", {})
    tuning.close()
    told.after = state(table.base.model)
    return told


def started(table: Workbench, method: str, *, seed: int, **changes: Any) -> FineTuning:
    point = {**spaces.get(method).default, "warmup_ratio": 0.0, **changes}
    return FineTuning(table, method, point, examples=STEPS * point["batch_size"], seed=seed)


def train(tuning: FineTuning) -> dict[str, Tensor]:
    """Train to the end, and note where gradients arrive."""
    reached = {name: torch.zeros_like(p, dtype=torch.bool) for name, p in tuning.parameters.items()}

    def watch(name: str) -> Any:
        def note(gradient: Tensor) -> None:
            reached[name] |= gradient != 0

        return tuning.parameters[name].register_hook(note)

    handles = [watch(name) for name in tuning.parameters]
    assert len(tuning.advance(10**6)) == STEPS
    for handle in handles:
        handle.remove()
    return reached


def exported_and_loaded(table: Workbench, tuning: FineTuning, folder: Path) -> tuple[Tensor, list[int]]:
    """What the export answers in the libraries' own hands."""
    table.base.export(tuning.model, folder)
    kind = AutoModelForSeq2SeqLM if table.base.is_encoder_decoder else AutoModelForCausalLM
    if isinstance(tuning.model, PeftModel):
        return answer(table, PeftModel.from_pretrained(kind.from_pretrained(table.task.model), str(folder)))
    assert AutoTokenizer.from_pretrained(folder).get_vocab() == table.base.tokenizer.get_vocab()
    return answer(table, kind.from_pretrained(folder))


def answer(table: Workbench, model: Any) -> tuple[Tensor, list[int]]:
    """A model's logits and its text for one source, without any of our own code."""
    row = table.encoded("validation")[0]
    ids, target = torch.tensor([row.source]), torch.tensor([row.target])
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    decoder = {"decoder_input_ids": target} if table.base.is_encoder_decoder else {}
    model.eval()
    with torch.no_grad(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Position ids are not supported", UserWarning)
        logits = model(**inputs, **decoder).logits
        text = model.generate(**inputs, do_sample=False, num_beams=1, max_new_tokens=5)
    return logits, text[0].tolist()


def bits(tensors: dict[str, Tensor]) -> dict[str, str]:
    return {
        name: hashlib.sha256(tensor.detach().contiguous().reshape(-1).view(torch.uint8).numpy()).hexdigest()
        for name, tensor in tensors.items()
    }


def tensors_of(model: nn.Module) -> dict[str, Tensor]:
    return {**dict(model.named_parameters()), **dict(model.named_buffers())}


def frozen(tuning: FineTuning) -> dict[str, Tensor]:
    return {name: t for name, t in tensors_of(tuning.model).items() if name not in tuning.parameters}


def added(tuning: FineTuning, base: set[int]) -> dict[str, str]:
    """All that is trained, and all that the method brought: random projections, and the seeds of others."""
    every = tensors_of(tuning.model)
    brought = bits({name: t for name, t in every.items() if t.requires_grad or id(t) not in base})
    settings = vars(tuning.model.active_peft_config) if isinstance(tuning.model, PeftModel) else {}
    return brought | {name: str(value) for name, value in settings.items() if "seed" in name}


def state(model: nn.Module) -> dict[str, Any]:
    """All of a model that could be left changed: weights by SHA-256, parts, attributes, hooks, settings."""
    tensors = tensors_of(model)
    return {
        "bits": bits(tensors),
        "dtypes": {name: (tensor.dtype, tensor.device) for name, tensor in tensors.items()},
        "parts": {name: type(part) for name, part in model.named_modules()},
        "attributes": {name: sorted(vars(part)) for name, part in model.named_modules()},
        "hooks": {
            name: [len(getattr(part, hooks)) for hooks in HOOKS] for name, part in model.named_modules()
        },
        "trainable": [name for name, p in model.named_parameters() if p.requires_grad],
        "gradients": [name for name, p in model.named_parameters() if p.grad is not None],
        "config": model.config.to_dict(),
        "generation": model.generation_config.to_dict(),
        "tied": model.get_output_embeddings().weight is model.get_input_embeddings().weight,
    }


def test_every_method_has_a_space() -> None:
    assert methods.available() == spaces.available()


def test_only_what_the_method_adds_or_claims_is_trained_and_counted(story: Story) -> None:
    """peft's own count of an adapter; the numbers of a part of the model itself."""
    ids = {id(p) for p in story.trained.values()}
    trained = sum(p.numel() for p in story.trained.values())
    assert trained
    assert story.cost["trainable_parameters"] == trained
    if story.is_adapter:
        assert not ids & story.base_parameters
        assert story.cost["total_parameters"] > story.base_total
    else:
        assert ids <= story.base_parameters
        assert story.cost["total_parameters"] == story.base_total
        assert (trained == story.base_total) == (story.method == "full")


def test_all_that_is_trained_gets_a_gradient_and_moves_and_nothing_else_does(story: Story) -> None:
    """Row by row where each row is a soft token: not one may stay where it was."""
    for name in story.trained:
        for changed in (story.reached[name], story.moved[name]):
            assert changed.any(), name
            is_soft_prompt = name.startswith("prompt_encoder.") and name.endswith("embedding.weight")
            assert not is_soft_prompt or changed.any(dim=-1).all(), f"dead rows: {name}"
    assert story.frozen_is_unmoved


@EVERY_PAIR
def test_the_start_depends_on_the_seed_alone(
    bench: Callable[..., Workbench], family: str, method: str
) -> None:
    table = bench(family, taught=True)
    base = {id(p) for p in table.base.model.parameters()}
    starts, plans = [], []
    for seed in (1, 1, 2):
        tuning = started(table, method, seed=seed)
        starts.append(added(tuning, base))
        plans.append(tuning.plan)
        tuning.close()
    assert (starts[0], plans[0]) == (starts[1], plans[1])
    assert plans[0] != plans[2]
    assert (starts[0] == starts[2]) == (method in SAME_START)


def test_what_is_exported_loads_with_the_libraries_own_call_and_does_the_same(story: Story) -> None:
    """But for rounding: the libraries' kernels are others than a trial's."""
    torch.testing.assert_close(story.reloaded[0], story.answered[0], rtol=1e-4, atol=1e-4)
    assert story.reloaded[1] == story.answered[1]
    assert not torch.equal(story.untrained, story.answered[0])


def test_after_a_trial_the_base_is_bit_for_bit_what_it_was(story: Story) -> None:
    assert story.before["tied"] == (story.family != "llama")
    for part, value in story.before.items():
        assert story.after[part] == value, part


@EVERY_REFUSED_PAIR
def test_a_method_is_refused_where_the_model_lacks_what_it_trains(
    bench: Callable[..., Workbench], family: str, method: str
) -> None:
    base = bench(family, taught=True).base
    with pytest.raises(NotApplicable, match=r"^not applicable: "):
        base.attach(method, spaces.get(method).default)
    assert not any(p.requires_grad for p in base.model.parameters())


def test_what_a_method_needs_is_had_by_one_family_and_not_by_another() -> None:
    needed = {spaces.needs(name) for name in methods.available()} - {None}
    assert needed == set[str]().union(*HAS.values())
    for need in needed:
        assert {need in has for has in (*HAS.values(), HAS_GPT2)} == {True, False}


@pytest.mark.parametrize("method", methods.available())
def test_gpt2_with_its_own_kind_of_layers(bench: Callable[..., Workbench], method: str) -> None:
    """Its weights are kept the other way round: peft must be told, or warns, which is an error here."""
    torch.manual_seed(0)
    sizes = {"n_layer": 1, "n_head": 2, "n_embd": 32, "vocab_size": 300, "n_positions": 128}
    model = GPT2LMHeadModel(GPT2Config(**sizes, bos_token_id=1, eos_token_id=1)).requires_grad_(False)
    table = bench("llama")
    model.name_or_path = table.task.model  # where a text that begins a prompt finds a tokenizer
    if spaces.needs(method) not in (None, *HAS_GPT2):
        with pytest.raises(NotApplicable, match="GPT2LMHeadModel"):
            methods.get(method)(model, spaces.get(method).default, table.task)
        return
    attached = methods.get(method)(model, spaces.get(method).default, table.task)
    attached(input_ids=torch.arange(1, 9).reshape(2, 4)).logits.logsumexp(-1).sum().backward()
    assert any(p.grad is not None and p.grad.any() for p in attached.parameters())


@pytest.mark.parametrize(
    "file",
    [
        file
        for package in ("search", "spaces", "trainables")
        for file in sorted((ROOT / package).rglob("*.py"))
    ],
    ids=lambda file: str(file.relative_to(ROOT)),
)
def test_no_method_is_named_outside_its_own_files(file: Path) -> None:
    """Neither as a word of code nor as an import; but a variant may build on the method it varies."""
    others = set(methods.available()) - {file.stem}
    is_a_methods = file.parent in (ROOT / "spaces", ROOT / "trainables/methods")
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant):
            assert node.value not in others, f"line {node.lineno}"
        if isinstance(node, ast.Import | ast.ImportFrom) and not is_a_methods:
            named = {part for alias in node.names for part in alias.name.split(".")}
            modules = {*named, *(getattr(node, "module", None) or "").split(".")}
            assert not modules & others or not _of_ours(node), f"line {node.lineno}"
        words = {getattr(node, "id", ""), getattr(node, "attr", ""), getattr(node, "name", "") or ""}
        flags = {f"is_{name}" for name in others} | (others - {"full"})
        assert is_a_methods or not words & flags, f"line {getattr(node, 'lineno', 0)}"


def _of_ours(node: ast.Import | ast.ImportFrom) -> bool:
    modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
    return any(module.partition(".")[0] in ("spaces", "trainables") for module in modules)
