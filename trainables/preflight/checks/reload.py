"""Check: what the final keeps is what was trained."""

import warnings
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from peft import PeftModel
from peft.tuners.tuners_utils import BaseTuner

from trainables.methods import Model
from trainables.preflight.checks._check import PreflightCheck
from trainables.preflight.findings import Finding
from trainables.preflight.paths import NOISE_NATS, agree, distance, equal, training_path
from trainables.preflight.probe import Probe
from trainables.targets import is_quantized


def reload(probe: Probe) -> Finding:
    """Export, load into a fresh model with the libraries' own calls, compare; and merge, where peft can."""
    base = probe.base
    trained = training_path(base, probe.tuning.model, probe.answered)
    with TemporaryDirectory() as folder:
        base.export(probe.tuning.model, Path(folder))
        figures: dict[str, float] = {"export_bytes": _bytes(Path(folder))}
        model = _loaded(probe, Path(folder)).to(base.device)
    loaded = training_path(base, model, probe.answered)
    figures["reloaded_apart_nats"] = apart = distance(trained, loaded, probe.answered)
    if not equal(trained, loaded):
        problem = f"saved and loaded, it predicts otherwise, by {apart:.2g} nats a token"
        return Finding("fail", f"{problem}: not all that is trained is exported, or not exactly.", figures)
    merged = _merged(model)
    if merged is None:
        return Finding("pass", "equal after saving and loading", figures)
    answers = training_path(base, merged, probe.answered)
    figures["merged_apart_nats"] = apart = distance(trained, answers, probe.answered)
    if apart <= NOISE_NATS[base.autocast_dtype]:
        return Finding("pass", "equal after saving and loading, and after merging", figures)
    problem = f"merged into the weights, it predicts otherwise, by {apart:.2g} nats a token"
    unmerged_way = partial(training_path, base, probe.tuning.model, probe.answered)
    if agree(base, unmerged_way, partial(training_path, base, merged, probe.answered), probe.answered):
        dtype = str(base.autocast_dtype).removeprefix("torch.")
        return Finding("pass", f"equal after saving and loading; {problem}: the rounding of {dtype}", figures)
    return Finding("fail", f"{problem}: use it unmerged, or report it to peft.", figures)


CHECK = PreflightCheck(name="reload", order=70, ask=reload)


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
