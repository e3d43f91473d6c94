"""The script that goes with an export writes what the trial wrote, with transformers and peft alone."""

import ast
import io
import json
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel

import spaces
from tests.matrix import PAIRS, TURNS
from trainables.errors import InputError
from trainables.evaluation import evaluate
from trainables.inference.classify import log_likelihoods
from trainables.loop import FineTuning
from trainables.prompt import template
from trainables.standalone.merge import merge
from trainables.standalone.script import Weights, script
from trainables.task import Task
from trainables.workbench import Workbench

DAILY = [("llama", "prompt_tuning"), ("t5", "lora")]
EVERY_PAIR = pytest.mark.parametrize(
    ("family", "method"),
    [pytest.param(*pair, marks=[] if pair in DAILY else [pytest.mark.slow]) for pair in PAIRS],
)
STEPS = 3
PLAIN = {"jinja2", "peft", "torch", "transformers"}
"""What a user of a script needs."""
LABELLED = {"type": "classification", "metric": "accuracy"}


@pytest.fixture
def exported(tmp_path: Path) -> Callable[..., tuple[Path, list[str]]]:
    """`exported(bench, method)`: the folder of a short trial's export, and what it wrote on test."""

    def make(bench: Workbench, method: str, count: int = 6) -> tuple[Path, list[str]]:
        point = {**spaces.get(method).default, "learning_rate": 0.01}
        tuning = FineTuning(bench, method, point, examples=STEPS * point["batch_size"], seed=1)
        try:
            tuning.advance(STEPS * point["batch_size"])
            written = evaluate(bench, tuning.model, "test", count).examples
            bench.base.export(tuning.model, tmp_path)
            weights = Weights(isinstance(tuning.model, PeftModel), bench.base.is_encoder_decoder)
        finally:
            tuning.close()
        text = script(bench.task, weights, bench.base.precision, bench.data.labels)
        (tmp_path / "predict.py").write_text(text, encoding="utf-8")
        ids = {example.id: example for example, _ in bench.subset("test", count)}
        rows = [{bench.task.source: ids[name].source} for name in written["id"]]
        (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        return tmp_path, list(written["prediction"])

    return make


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[[Path], Any]:
    """`run(folder)`: what the script writes of the rows beside it, and its names.

    In this process, for to import its libraries takes seconds.
    """

    def run(folder: Path) -> tuple[list[str], dict[str, Any]]:
        monkeypatch.setattr(sys, "stdin", io.StringIO((folder / "rows.jsonl").read_text()))
        names = runpy.run_path(str(folder / "predict.py"))
        return [json.loads(line)["prediction"] for line in capsys.readouterr().out.splitlines()], names

    return run


def imported(source: str) -> set[str]:
    """The packages that a script imports at its top."""
    found = ast.parse(source).body
    names = [alias.name for node in found if isinstance(node, ast.Import) for alias in node.names]
    names += [str(node.module) for node in found if isinstance(node, ast.ImportFrom)]
    return {name.partition(".")[0] for name in names}


@EVERY_PAIR
@pytest.mark.filterwarnings("ignore:Position ids are not supported")  # peft's, which counts them by itself
def test_it_writes_what_the_trial_wrote(
    bench: Callable[..., Workbench], exported: Any, run: Any, family: str, method: str
) -> None:
    folder, written = exported(bench(family, taught=True), method)
    assert run(folder)[0] == written


OPTIONS = {
    "a prompt cut at its end": ("bart", {"max_source_tokens": 40}),
    "one cut at its start": ("llama", {"max_source_tokens": 40, "truncation_side": "start"}),
    "words around the source that are too long": ("bart", {"max_source_tokens": 8}),
    "a chat": ("llama", {"chat_template": True, "system": "Be {brief}.", "max_source_tokens": 60}),
    "a template": (
        "bart",
        {"prompt": "{% if 1 %}\nSum {{ dialogue | upper }}\n{% endif %}", "max_source_tokens": 40},
    ),
    "signs of Python": ("t5", {"prompt": '""" \\ \'{dialogue}\' #\u202e\n\t'}),
    "labels": ("t5", LABELLED),
    "labels after a chat": ("llama", {**LABELLED, "chat_template": True}),
}
DAILY_OPTIONS = ("a chat", "labels")


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[] if n in DAILY_OPTIONS else [pytest.mark.slow]) for n in OPTIONS]
)
def test_it_reads_and_picks_as_the_trial_did(
    make_task: Any, labelled: dict[str, str], exported: Any, run: Any, name: str
) -> None:
    family, options = OPTIONS[name]
    data = {"data": labelled} if "type" in options else {}
    bench = Workbench(make_task(family, taught=True, **options, **data), data_seed=0)
    folder, written = exported(bench, "full", count=2)
    found, names = run(folder)
    assert found == written
    assert imported((folder / "predict.py").read_text()) <= {*sys.stdlib_module_names, *PLAIN}
    read = bench.subset("test", None)
    sources = [encoded.source for _, encoded in read]
    assert any(encoded.source_cut for _, encoded in read) == ("max_source_tokens" in options)
    assert [names["encode"]({"dialogue": example.source}) for example, _ in read] == sources
    if "type" in options:
        labels = names["LABELS"]
        with torch.no_grad():
            told = [names["likelihood"](sources[0], label) for label in labels]
        loaded = bench.base.pretrained(folder)
        of_trial = log_likelihoods(bench.base, loaded, sources[:1], bench.base.encoder.targets(labels))
        assert told == pytest.approx(of_trial[0].tolist(), abs=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize(("family", "method"), TURNS)
def test_a_merged_model_writes_the_same(
    bench: Callable[..., Workbench], exported: Any, run: Any, tmp_path: Path, family: str, method: str
) -> None:
    table = bench(family, taught=True)
    folder, written = exported(table, method)
    if not (folder / "adapter_config.json").exists():
        pytest.skip("whole as it is")
    whole, kind = tmp_path / "whole", table.base.is_encoder_decoder
    if method in ("p_tuning", "prefix_tuning", "prompt_tuning"):
        with pytest.raises(InputError, match=r"which no weight of the model can hold. Leave --merge out"):
            merge(table.task, folder, whole, is_encoder_decoder=kind)
        return
    merge(table.task, folder, whole, is_encoder_decoder=kind)
    (whole / "rows.jsonl").write_text((folder / "rows.jsonl").read_text())
    (whole / "predict.py").write_text(script(table.task, Weights(False, kind), "fp32"))
    assert run(whole)[0] == written


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"quantize": "4bit"}, "lay in 4bit while it was scored"),
        ({"trust_remote_code": True}, "code of its own"),
    ],
)
def test_what_is_not_merged(make_task: Any, tmp_path: Path, options: dict[str, Any], reason: str) -> None:
    with pytest.raises(InputError, match=f"--merge: .*{reason}"):
        merge(make_task("t5", **options), tmp_path, tmp_path / "whole", is_encoder_decoder=True)


def test_columns_within_columns_are_filled_in_as_the_trial_does() -> None:
    fields = {"source": "pair.de", "target": "pair.en", "prompt": "{topic}, in braces: {pair.de}"}
    task = Task(model="me/model", data="me/pairs", type="translation", **fields)
    lines = script(task, Weights(is_adapter=False, is_encoder_decoder=True), "fp32").splitlines()
    names: dict[str, Any] = {"row": {"pair": {"de": "Satz {1}."}, "topic": "tea"}}
    for begin in ("PROMPT = ", "row['pair_de'] = row"):
        exec(next(line.strip() for line in lines if line.strip().startswith(begin)), names)
    filled = names["PROMPT"].format_map(names["row"])
    assert filled == template(task.prompt).fill({"pair.de": "Satz {1}.", "topic": "tea"})
