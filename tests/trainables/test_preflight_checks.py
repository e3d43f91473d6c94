"""The preflight checks: every method passes them on every model family; each planted fault fails one."""

from collections.abc import Callable
from itertools import combinations
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, PromptTuningConfig, get_peft_model
from peft.tuners.lora.layer import Linear as LoraLinear
from torch import Tensor, nn

import spaces
from tests.matrix import EVERY_PAIR, FAMILIES
from tests.test_architecture import ROOT
from tests.trainables.checks import ask, check, failed
from trainables import methods
from trainables.errors import NotApplicable
from trainables.model import LoadedModel
from trainables.preflight.checks import available
from trainables.preflight.checks.lengths import lengths
from trainables.preflight.findings import Check, Findings, asked
from trainables.preflight.paths import NOISE_NATS
from trainables.workbench import Workbench

EVERY_METHOD = pytest.mark.parametrize("method", methods.available())
EVERY_FAMILY = pytest.mark.parametrize("family", FAMILIES)


@EVERY_PAIR
def test_every_method_passes_every_gate(bench: Callable[..., Workbench], family: str, method: str) -> None:
    table = bench(family, taught=True)
    before = table.base
    findings = ask(table, method, costliest=spaces.get(method).default)
    not_passed = {check.name: check.message for check in findings.checks if check.verdict != "pass"}
    if check(findings, "learns").verdict == "warn":  # so small a model moves little at a default's rate
        del not_passed["learns"]
    assert not_passed == {}
    names = [declared.name for declared in available() if declared.name != "packing"]
    assert [check.name for check in findings.checks] == names
    assert table.base is before
    assert Findings.model_validate_json(findings.model_dump_json()) == findings


def test_checks_declare_names_and_places_of_their_own() -> None:
    declared = available()
    files = {file.stem for file in (ROOT / "trainables/preflight/checks").glob("[a-z]*.py")}
    assert (
        len(declared) == len({check.name for check in declared}) == len({check.order for check in declared})
    )
    assert len(declared) == len(files)


def asked_until(failure: int) -> Findings:
    """What a method's checks found where the one at place `failure` failed."""
    return Findings(
        checks=[
            Check(name=declared.name, verdict="fail" if place == failure else "pass", message="")
            for place, declared in enumerate(available())
            if place <= failure or declared.always
        ]
    )


@pytest.mark.parametrize("failures", list(combinations(range(len(available()) + 1), 2)))
def test_they_are_shown_in_their_order_whichever_of_them_failed(failures: tuple[int, int]) -> None:
    lost = Findings(checks=[Check(name="worker", verdict="fail", message="it died")])
    found = [*map(asked_until, failures), lost]
    known = {check.name for findings in found for check in findings.checks}
    expected = ["worker", *(check.name for check in available() if check.name in known)]
    assert asked(found) == asked(reversed(found)) == expected


@pytest.mark.parametrize(("family", "method"), [("t5", "prefix_tuning"), ("llama", "p_tuning")])
def test_a_prompt_that_a_network_makes_is_exported_exactly_in_bf16(
    bench: Callable[..., Workbench], family: str, method: str
) -> None:
    """peft exports what the network makes in fp32: under autocast it would have been made in bf16."""
    findings = ask(bench(family, taught=True, precision="bf16"), method)
    assert check(findings, "precision").figures["dtype"] == "bfloat16"
    assert check(findings, "reload").verdict == "pass"
    assert check(findings, "reload").figures["reloaded_apart_nats"] == 0


@EVERY_METHOD
def test_no_choice_trains_more_than_the_costliest_corner(
    bench: Callable[..., Workbench], method: str
) -> None:
    base, space = bench("bart").base, spaces.get(method)
    try:
        base.restore(base.attach(method, space.default))
    except NotApplicable as reason:
        pytest.skip(str(reason))
    corner = spaces.costliest(space)

    def trained(point: dict[str, Any]) -> int:
        model = base.attach(method, point)
        count = sum(p.numel() for p in model.parameters() if p.requires_grad)
        base.restore(model)
        return count

    most = trained(corner)
    for key, dimension in space.distributions.items():
        for choice in getattr(dimension, "choices", ()):
            assert trained(corner | {key: choice}) <= most, (key, choice)
    assert corner["batch_size"] == max(space.distributions["batch_size"].choices)


class Faulty(LoadedModel):
    """A base model to which a method of the test's own is attached, whatever it is called."""

    def __init__(self, table: Workbench, attach: Callable[[Any], Any]) -> None:
        super().__init__(table.task)
        self._attach = attach

    def attach(self, method: str | None, hyperparameters: Any) -> Any:
        return self._attach(self.model)


def with_fault(table: Workbench, attach: Callable[[Any], Any], method: str = "lora") -> Findings:
    broken = Workbench(table.task, table.data_seed)
    broken.base = Faulty(broken, attach)
    return ask(broken, method)


def lora(model: Any, *targets: str) -> PeftModel:
    kind = "SEQ_2_SEQ_LM" if model.config.is_encoder_decoder else "CAUSAL_LM"
    return get_peft_model(model, LoraConfig(task_type=kind, target_modules=list(targets)))


def attention(model: Any) -> PeftModel:
    return lora(model, "q", "v") if model.config.model_type == "t5" else lora(model, "q_proj", "v_proj")


def test_a_target_that_matches_nothing_is_named_beside_those_that_do(bench: Callable[..., Workbench]) -> None:
    """`wi` is what older T5s have; this one has wi_0 and wi_1. peft is content with one match."""
    findings = with_fault(bench("t5", taught=True), lambda model: lora(model, "q", "wi"))
    assert failed(findings) == ["targets"]
    assert "no module matches wi (matched: 6 q)" in check(findings, "targets").message
    assert "wi_0" in check(findings, "targets").message


def test_targets_none_of_which_match_are_told(bench: Callable[..., Workbench]) -> None:
    findings = with_fault(bench("t5", taught=True), lambda model: lora(model, "nothing"))
    assert failed(findings) == ["targets"]
    assert "nothing" in check(findings, "targets").message


def test_rows_of_a_soft_prompt_that_nothing_reads_are_counted(bench: Callable[..., Workbench]) -> None:
    """peft's default for encoder-decoders makes a prompt for the decoder too, which T5 never sees."""

    def attach(model: Any) -> PeftModel:
        config = PromptTuningConfig(
            task_type="SEQ_2_SEQ_LM", num_virtual_tokens=6, num_transformer_submodules=2
        )
        return get_peft_model(model, config)

    findings = with_fault(bench("t5", taught=True), attach, "prompt_tuning")
    assert failed(findings) == ["gradients"]
    assert check(findings, "gradients").message.startswith("6 of 12 soft tokens never get a gradient")
    assert check(findings, "gradients").figures["dead_prompt_rows"] == 6


@EVERY_FAMILY
@pytest.mark.parametrize("part", ["lora_", "lora_A"])
def test_an_adapter_that_is_frozen_in_whole_or_in_part(
    bench: Callable[..., Workbench], family: str, part: str
) -> None:
    def attach(model: Any) -> PeftModel:
        attached = attention(model)
        for name, parameter in attached.named_parameters():
            if part in name:
                parameter.requires_grad = False
        return attached

    findings = with_fault(bench(family, taught=True), attach)
    assert failed(findings) == ["gradients"]
    assert "cannot learn" in check(findings, "gradients").message


def test_a_part_that_the_loss_does_not_depend_on(bench: Callable[..., Workbench]) -> None:
    """An adapter on a layer whose output is thrown away."""

    def attach(model: Any) -> PeftModel:
        model.spare = nn.Linear(4, 4)
        return lora(model, "q", "spare")

    findings = with_fault(bench("t5", taught=True), attach)
    assert failed(findings)[0] == "gradients"
    assert "spare.lora_A" in check(findings, "gradients").message


def test_a_frozen_model_that_moves_with_the_adapter(bench: Callable[..., Workbench]) -> None:
    def attach(model: Any) -> PeftModel:
        attached = attention(model)
        wanderer = dict(model.named_parameters())["encoder.final_layer_norm.weight"]

        def drift(*_: Any) -> None:
            wanderer.data.add_(1e-3)

        attached.register_forward_hook(drift)
        return attached

    findings = with_fault(bench("t5", taught=True), attach)
    assert failed(findings) == ["gradients"]
    assert "encoder.final_layer_norm.weight of the frozen model moved" in check(findings, "gradients").message


@EVERY_FAMILY
def test_a_method_that_cannot_learn(bench: Callable[..., Workbench], family: str) -> None:
    findings = ask(
        bench(family, taught=True),
        "full",
        hyperparameters=spaces.get("full").default | {"learning_rate": 3.0},
    )
    assert failed(findings) == ["learns"]
    assert "Try another learning rate than 3" in check(findings, "learns").message


@EVERY_FAMILY
def test_an_adapter_that_generation_does_not_use(bench: Callable[..., Workbench], family: str) -> None:
    def attach(model: Any) -> PeftModel:
        attached = attention(model)
        generate = attached.generate

        def without_the_adapter(**inputs: Any) -> Any:
            with attached.disable_adapter():
                return generate(**inputs)

        attached.generate = without_the_adapter
        return attached

    findings = with_fault(bench(family, taught=True), attach)
    assert failed(findings) == ["changes output"]
    assert "generate() does not use what was trained" in check(findings, "changes output").message


@pytest.mark.parametrize(("family", "precision"), [(f, "fp32") for f in FAMILIES] + [("llama", "bf16")])
def test_generation_that_reads_another_source(
    bench: Callable[..., Workbench], family: str, precision: str
) -> None:
    """The adapter is used, but half of the source is hidden from it: the paths disagree."""

    def attach(model: Any) -> PeftModel:
        attached = attention(model)
        generate = attached.generate

        def half_blind(input_ids: Tensor, attention_mask: Tensor, **options: Any) -> Any:
            attention_mask[:, : input_ids.shape[1] // 2] = 0
            return generate(input_ids=input_ids, attention_mask=attention_mask, **options)

        attached.generate = half_blind
        return attached

    findings = with_fault(bench(family, taught=True, precision=precision), attach)
    assert failed(findings) == ["changes output"]
    assert "otherwise than training does" in check(findings, "changes output").message


@EVERY_FAMILY
def test_what_only_rounding_sets_apart_is_no_fault(
    bench: Callable[..., Workbench], monkeypatch: pytest.MonkeyPatch, family: str
) -> None:
    """In a deep model the rounding of bf16 adds up to more than any limit: fp32 tells it from a fault."""
    monkeypatch.setitem(NOISE_NATS, torch.bfloat16, 0.0)
    findings = ask(bench(family, taught=True, precision="bf16"), "lora")
    assert failed(findings) == []
    assert check(findings, "changes output").figures["between_paths_nats"] > 0
    assert check(findings, "reload").figures["merged_apart_nats"] > 0
    assert check(findings, "reload").message.endswith("nats a token: the rounding of bfloat16")


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_an_adapter_that_is_merged_wrongly(
    bench: Callable[..., Workbench], monkeypatch: pytest.MonkeyPatch, precision: str
) -> None:
    update = LoraLinear.get_delta_weight
    monkeypatch.setattr(LoraLinear, "get_delta_weight", lambda *of: 1.5 * update(*of))
    findings = ask(bench("llama", taught=True, precision=precision), "lora")
    assert failed(findings) == ["reload"]
    assert "merged into the weights, it predicts otherwise" in check(findings, "reload").message


def test_a_part_that_is_not_exported(bench: Callable[..., Workbench]) -> None:
    """peft saves its adapter; a tensor that was trained beside it is lost."""

    def attach(model: Any) -> PeftModel:
        attached = attention(model)
        model.shared.weight.requires_grad = True
        return attached

    findings = with_fault(bench("t5", taught=True), attach)
    assert failed(findings) == ["reload"]
    assert "not all that is trained is exported" in check(findings, "reload").message


class Scaled(nn.Module):
    """An adapter as one would write it by hand: it stays in the model when the method is taken off."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, *inputs: Any) -> Tensor:
        scaled: Tensor = self.inner(*inputs) * self.scale
        return scaled


def test_a_method_that_does_not_restore_the_base(bench: Callable[..., Workbench]) -> None:
    def attach(model: Any) -> Any:
        attention(model)
        block = model.encoder.block[0].layer[0].SelfAttention
        block.o = Scaled(block.o)
        return model

    def hooked(model: Any) -> PeftModel:
        model.encoder.final_layer_norm.register_forward_hook(lambda module, inputs, output: output * 1.1)
        return attention(model)

    def configured(model: Any) -> PeftModel:
        model.generation_config.max_length = 7
        return attention(model)

    for attach_, told in (
        (attach, "it cannot be taken off"),
        (hooked, "hooks of encoder.final_layer_norm"),
        (configured, "generation_config"),
    ):
        findings = with_fault(bench("t5", taught=True), attach_)
        assert "restore" in failed(findings)
        assert told in check(findings, "restore").message


def test_the_next_method_meets_a_sound_base_again(bench: Callable[..., Workbench]) -> None:
    table = bench("t5", taught=True)

    def hooked(model: Any) -> PeftModel:
        model.encoder.final_layer_norm.register_forward_hook(lambda module, inputs, output: output * 1.1)
        return attention(model)

    broken = Workbench(table.task, 0)
    broken.base = Faulty(broken, hooked)
    assert failed(ask(broken, "lora"))[-1] == "restore"
    assert failed(ask(broken, "lora")) == []


def test_fp16_is_refused_for_t5(bench: Callable[..., Workbench]) -> None:
    findings = ask(bench("t5", taught=True, precision="fp16"), "lora")
    assert failed(findings) == ["precision"]
    assert "models of type t5 overflow fp16" in check(findings, "precision").message


def test_a_loss_that_is_not_finite(bench: Callable[..., Workbench]) -> None:
    def attach(model: Any) -> PeftModel:
        def overflow(module: nn.Module, inputs: Any, output: Any) -> None:
            output.logits = output.logits * torch.inf

        attached = attention(model)
        attached.register_forward_hook(overflow)
        return attached

    findings = with_fault(bench("llama", taught=True), attach)
    assert failed(findings) == ["precision"]
    assert "the loss is nan in float32" in check(findings, "precision").message


def test_whatever_a_method_raises_is_its_gate_failed(bench: Callable[..., Workbench]) -> None:
    def attach(model: Any) -> Any:
        raise KeyError("wi")

    findings = with_fault(bench("t5", taught=True), attach)
    assert [(g.name, g.verdict) for g in findings.checks] == [
        ("targets", "fail"),
        ("restore", "pass"),
        ("lengths", "pass"),
    ]
    assert check(findings, "targets").message == "KeyError: 'wi'"


@pytest.mark.parametrize(
    ("limits", "raised"),
    [
        ((20, 24), ["task.max_source_tokens"]),
        ((96, 10), ["task.max_target_tokens"]),
        ((20, 10), ["task.max_source_tokens", "task.max_target_tokens"]),
        ((300, 100), []),
    ],
)
def test_what_the_limits_cut_is_counted(
    bench: Callable[..., Workbench], limits: tuple[int, int], raised: list[str]
) -> None:
    """Against lengths by the tokenizer itself, of the whole corpus."""
    table = bench("t5", max_source_tokens=limits[0], max_target_tokens=limits[1])
    finding, tokens = lengths(table), table.base.tokenizer

    def over(texts: list[str], limit: int) -> float:
        return sum(len(tokens(text)["input_ids"]) > limit for text in texts) / len(texts)

    train, validation = table.data.train, table.data.validation
    references = [text for e in validation for text in e.references]
    expected = {
        "sources_cut_share": over([e.prompt for e in train], limits[0]),
        "targets_cut_share": over([e.references[0] for e in train], limits[1]),
        "references_over_cap_share": over(references, limits[1]),
    }
    assert {name: finding.figures[name] for name in expected} == expected
    assert finding.verdict == ("warn" if raised else "pass")
    for limit in ("task.max_source_tokens", "task.max_target_tokens"):
        assert (limit in finding.message) == (limit in raised)
