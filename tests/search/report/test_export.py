import json
import subprocess

import pytest
import yaml

from search.report.exporting.folder import export
from tests.search.conftest import PROVENANCE
from trainables.errors import InputError
from trainables.storage.sums import SUMS

ADAPTER = {"adapter_config.json": "{}", "adapter_model.safetensors": "weights", "README.md": "by peft"}


def header(folder) -> dict:
    return yaml.safe_load((folder / "README.md").read_text(encoding="utf-8").split("---\n")[1])


@pytest.fixture
def with_adapter(finished):
    for seed in range(3):
        record = finished.final("lora", seed, 33.5 + seed)
        finished.adapter(record, ADAPTER | {"adapter_model.safetensors": f"weights {seed}"})
    return finished


def test_the_weights_are_copied_with_a_card(with_adapter, tmp_path):
    to = export(with_adapter.root, "lora", tmp_path / "out")
    assert sorted(file.name for file in to.iterdir()) == sorted([*ADAPTER, "predict.py", SUMS])
    subprocess.run(["sha256sum", "--check", "--quiet", SUMS], cwd=to, check=True)
    assert (to / "adapter_model.safetensors").read_text() == "weights 0"
    card = header(to)
    (measured,) = card.pop("model-index")
    assert card == {
        "base_model": "some/t5",
        "library_name": "peft",
        "pipeline_tag": "summarization",
        "datasets": ["some/dialogues"],
        "tags": ["tuneoff", "lora"],
    }
    assert measured["results"][0]["dataset"] == {
        "name": "some/dialogues",
        "type": "some/dialogues",
        "split": "test",
    }
    scores = {metric["name"]: metric["value"] for metric in measured["results"][0]["metrics"]}
    assert scores["ROUGE-L"] == 33.5  # of seed 0 alone
    card = (to / "README.md").read_text(encoding="utf-8")
    assert "| ROUGE-L |  33.50 |" in card
    assert "- `learning_rate`: `0.0005`" in card
    assert "- `train_seconds`: `100.0`" in card
    assert f"```python\n{(to / 'predict.py').read_text()}```" in card


def test_another_seed(with_adapter, tmp_path):
    to = export(with_adapter.root, "lora", tmp_path / "out", seed=2)
    assert (to / "adapter_model.safetensors").read_text() == "weights 2"


def test_a_whole_model_is_of_transformers(finished, tmp_path):
    finished.adapter(finished.final("full", 0, 32), {"config.json": "{}", "model.safetensors": "weights"})
    assert header(export(finished.root, "full", tmp_path / "out"))["library_name"] == "transformers"


def test_an_empty_folder_may_be_written_to_and_a_full_one_not(with_adapter, tmp_path):
    target = tmp_path / "out"
    target.mkdir()
    export(with_adapter.root, "lora", target)
    with pytest.raises(InputError, match="not an empty folder"):
        export(with_adapter.root, "lora", target)


def test_a_file_in_the_way(with_adapter, tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(InputError, match="not an empty folder"):
        export(with_adapter.root, "lora", tmp_path / "out")
    assert (tmp_path / "out").read_text() == "mine"


def test_a_place_that_cannot_be_written(with_adapter, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match="out cannot be written"):
        export(with_adapter.root, "lora", tmp_path / "file" / "out")


@pytest.mark.parametrize(
    ("method", "seed", "message"),
    [
        ("lorra", 0, r"no method 'lorra'; did you mean 'lora'\? Methods present: full, lora, prompt_tuning"),
        ("baseline", 0, "no method 'baseline'"),
        ("lora", 5, "no seed 5 of 'lora'. Seeds present: 0, 1, 2"),
        ("full", 0, "The weights of full/seed-0 are gone"),
    ],
)
def test_what_is_not_there(with_adapter, tmp_path, method, seed, message):
    with pytest.raises(InputError, match=message):
        export(with_adapter.root, method, tmp_path / "out", seed)
    assert not (tmp_path / "out").exists()


def test_a_final_that_has_not_finished(finished, tmp_path):
    finished.final("lora", 0, 33.5, status="running")
    with pytest.raises(InputError, match=r"lora/seed-0 is not finished.*running.*tuneoff resume"):
        export(finished.root, "lora", tmp_path / "out")


def test_a_sweep_before_its_final(searched, tmp_path):
    with pytest.raises(InputError, match="has no finals yet"):
        export(searched.root, "lora", tmp_path / "out")


def changed(finished, **task):
    """The same folder, of a sweep whose task differs."""
    sweep = yaml.safe_load(finished.folder.sweep_file.read_text())
    sweep["task"] |= task
    finished.folder.sweep_file.write_text(yaml.safe_dump(sweep))
    return finished.root


@pytest.mark.parametrize(
    ("recorded", "asked", "computed"),
    [
        ("bf16", "auto", "torch.bfloat16"),
        ("fp32", "auto", None),
        (None, "fp16", "torch.float16"),
        (None, "auto", None),
    ],
)
def test_the_script_computes_as_the_run_did(finished, tmp_path, recorded, asked, computed):
    record = finished.final("lora", 0, 33.5)
    record.rungs[-1].precision = recorded
    finished.folder.write_record(record)
    finished.adapter(record, ADAPTER)
    text = (export(changed(finished, precision=asked), "lora", tmp_path / "out") / "predict.py").read_text()
    assert ("@torch.autocast" in text) == bool(computed)
    assert computed is None or f"@torch.autocast(device.type, {computed})" in text


def test_a_card_holds_no_path_of_this_machine(finished, tmp_path):
    finished.adapter(finished.final("full", 0, 32), {"config.json": "{}", "model.safetensors": "weights"})
    files = {split: str(tmp_path / f"{split}.jsonl") for split in ("train", "test")}
    to = export(changed(finished, model=str(tmp_path / "t5"), data=files), "full", tmp_path / "out")
    assert str(tmp_path) not in (to / "README.md").read_text() + (to / "predict.py").read_text()
    assert "train: train.jsonl, test: test.jsonl" in (to / "README.md").read_text()
    assert "base_model" not in header(to)


def test_the_model_of_the_package_goes_with_its_adapter(finished, tmp_path):
    paths = dict.fromkeys(("base_model_name_or_path", "tokenizer_name_or_path"), "/home/me/tuneoff/model")
    config = json.dumps({"task_type": "SEQ_2_SEQ_LM", "peft_type": "PROMPT_TUNING", **paths})
    finished.adapter(finished.final("lora", 0, 33.5), ADAPTER | {"adapter_config.json": config})
    to = export(changed(finished, model="embedded"), "lora", tmp_path / "out")
    assert (to / "base" / "model.safetensors").is_file()
    assert "/home/me" not in (to / "adapter_config.json").read_text()
    assert "BASE = HERE / 'base'" in (to / "predict.py").read_text()
    subprocess.run(["sha256sum", "--check", "--quiet", SUMS], cwd=to, check=True)


LABELLED = {"type": "classification", "metric": "accuracy", "references": "max", "target": "summary1"}


@pytest.mark.parametrize(
    ("labels", "recorded"), [(["no", "yes"], None), ({"0": "no", "1": "yes"}, None), (None, ["no", "yes"])]
)
def test_a_classification_picks_from_the_labels_of_the_sweep_or_of_its_data(
    with_adapter, tmp_path, labels, recorded
):
    with_adapter.provenance({**PROVENANCE, "data": {**PROVENANCE["data"], "labels": recorded}})
    to = export(changed(with_adapter, labels=labels, **LABELLED), "lora", tmp_path / "out")
    assert "LABELS = ['no', 'yes']" in (to / "predict.py").read_text()


def test_labels_that_an_earlier_version_did_not_record(with_adapter, tmp_path):
    with pytest.raises(InputError, match=r"Name all of them in .*sweep.yaml, as task.labels"):
        export(changed(with_adapter, **LABELLED), "lora", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_damaged_configuration_of_an_adapter(finished, tmp_path):
    finished.adapter(finished.final("lora", 0, 33.5), ADAPTER | {"adapter_config.json": "{"})
    with pytest.raises(InputError, match=r"adapter_config.json cannot be read as JSON"):
        export(finished.root, "lora", tmp_path / "out")
