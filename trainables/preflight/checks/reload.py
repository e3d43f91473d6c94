"""Check: what the final keeps is what was trained."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from peft import PeftModel
from peft.tuners.tuners_utils import BaseTuner

from trainables.cost.memory import release_memory
from trainables.methods import Model
from trainables.model import LoadedModel
from trainables.preflight.checks._check import PreflightCheck
from trainables.preflight.findings import Finding
from trainables.preflight.paths import NOISE_NATS, Logits, agree, distance, equal, in_fp32, training_path
from trainables.preflight.probe import Probe
from trainables.targets import is_quantized


def reload(probe: Probe) -> Finding:
    """Export, load into a fresh model with the libraries' own calls, compare; and merge, where peft can."""
    base, model = probe.base, probe.tuning.model
    predict = partial(training_path, base, model, probe.answered)
    with base.unfused():
        trained, in_training = predict(), in_fp32(base, predict)
    with TemporaryDirectory() as folder:
        base.export(model, Path(folder))
        with _aside(base, model):
            return _compared(probe, Path(folder), trained, in_training)


def _compared(probe: Probe, folder: Path, trained: Logits, trained_in_fp32: Logits | None) -> Finding:
    base, examples = probe.base, probe.answered
    figures: dict[str, float] = {"export_bytes": _bytes(folder)}
    model = _loaded(probe, folder).to(base.device)
    loaded = training_path(base, model, examples)
    figures["reloaded_apart_nats"] = apart = distance(trained, loaded, examples)
    if not equal(trained, loaded):
        problem = f"saved and loaded, it predicts otherwise, by {apart:.2g} nats a token"
        return Finding("fail", f"{problem}: not all that is trained is exported, or not exactly.", figures)
    merged = _merged(model)
    if merged is None:
        return Finding("pass", "equal after saving and loading", figures)
    predict = partial(training_path, base, merged, examples)
    figures["merged_apart_nats"] = apart = distance(trained, predict(), examples)
    if apart <= NOISE_NATS[base.autocast_dtype]:
        return Finding("pass", "equal after saving and loading, and after merging", figures)
    problem = f"merged into the weights, it predicts otherwise, by {apart:.2g} nats a token"
    if agree(trained_in_fp32, in_fp32(base, predict), examples):
        dtype = str(base.autocast_dtype).removeprefix("torch.")
        return Finding("pass", f"equal after saving and loading; {problem}: the rounding of {dtype}", figures)
    return Finding("fail", f"{problem}: use it unmerged, or report it to peft.", figures)


CHECK = PreflightCheck(name="reload", order=70, ask=reload)


@contextmanager
def _aside(base: LoadedModel, model: Model) -> Iterator[None]:
    """Keep the trained model in the CPU's memory within the block, so that the device need not hold two.

    A quantised one stays: it is small, and its layers are not made to be moved.
    """
    if is_quantized(base.model):
        yield
        return
    model.to("cpu")
    try:
        yield
    finally:
        release_memory()
        model.to(base.device)


def _loaded(probe: Probe, folder: Path) -> Model:
    """Load without the libraries' warnings: the check looks at their consequences."""
    with warnings.catch_warnings(action="ignore"):
        if isinstance(probe.tuning.model, PeftModel):
            return PeftModel.from_pretrained(probe.base.pretrained(), str(folder))
        return probe.base.pretrained(folder)


def _merged(model: Model) -> Model | None:
    """Return the model with the adapter merged; None without an adapter, or if peft cannot merge it.

    Quantised weights are left alone: merging would round them again.
    """
    tuner = model.base_model if isinstance(model, PeftModel) else None
    if not isinstance(tuner, BaseTuner) or is_quantized(model.get_base_model()):
        return None
    try:
        with warnings.catch_warnings(action="ignore"):
            return tuner.merge_and_unload()
    except (NotImplementedError, ValueError):
        return None


def _bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
