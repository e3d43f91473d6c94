"""Sweep files: what they say, what is wrong with them, and what may change when a folder is continued."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from optuna.distributions import CategoricalDistribution, FloatDistribution

import spaces
from search.config.locate import bundled_sweeps
from search.config.sweep import Problem, Sweep, SweepError, differences, json_schema, load_sweep

UNREADABLE = Path("/proc/self/mem")
SMALL = """
name: small
task:
  model: some/t5
  data: some/dialogues
  source: dialogue
  target: summary
  prompt: "Summarize {dialogue}"
methods: {lora: {}}
"""
MANY_MISTAKES = """
nam: my sweep
seed: -1
task:
  model: ""
  data: {train: absent.jsonl, tst: 3}
  source: dialogue
  target: [summary, summary]
  prompt: "Summarize {dialogue"
  metric: rougel
  precision: bf61
  max_source_tokens: "512"
methods:
  "a b": {base: lora}
  lorra: {}
  lora:
    space: {rank: [4, 128], learning_rate: {low: 1e-5}, rnk: [3], schedule: linear}
    fix: {targets: atention, rank: 8}
    bas: lora
  prompt_tuning: {space: {rank: [4]}, fix: {init: texts}}
  full:
  mine: {base: ful}
  ia3: 3
search:
  {trials_per_method: 0, trials: 3, validation_samples: al, max_epochs: .inf, sampler: TPE, first_rung: 0}
final: 3
resources: {gpus_per_trial: -1, concurrent_trials: 0, cpus_per_trial: 1.5}
storage: null
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def write(folder: Path) -> Callable[..., Path]:
    def write_sweep(text: str = SMALL, name: str = "sweep.yaml") -> Path:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    return write_sweep


def small(*overrides: str) -> Sweep:
    Path("small.yaml").write_text(SMALL, encoding="utf-8")
    return load_sweep("small.yaml", overrides)


def problems(path: str | Path, *overrides: str) -> list[Problem]:
    with pytest.raises(SweepError) as error:
        load_sweep(path, overrides)
    return error.value.problems


def test_every_mistake_is_told_at_once(write: Any, folder: Path, golden: Callable[[str, str], None]) -> None:
    with pytest.raises(SweepError) as error:
        load_sweep(write(MANY_MISTAKES), ["qualifyng.sampler=tpe", "seed.x=1", "storage"])
    golden(f"{error.value}\n".replace(str(folder), "FOLDER"), "sweep_with_many_mistakes.txt")


def test_a_single_problem_is_one_line(write: Any, folder: Path) -> None:
    with pytest.raises(SweepError) as error:
        load_sweep(write(), ["final.seeds=0"])
    assert str(error.value) == f"{folder}/sweep.yaml: final.seeds: must be at least 1, got 0"


def test_promotion_needs_to_know_how_many_trials_come(write: Any) -> None:
    timed = ["search.scheduler=promote", "search.budget.device_seconds_per_method=60"]
    (problem,) = problems(write(), *timed, "search.trials_per_method=null")
    assert problem.path == "search.scheduler"
    assert "promote needs to know how many trials come. Set trials_per_method" in problem.message


def test_defaults(write: Any) -> None:
    sweep = load_sweep(write())
    search, final, resources = sweep.search, sweep.final, sweep.resources
    assert (sweep.seed, sweep.storage) == (0, "runs")
    assert (search.trials_per_method, search.max_epochs, search.reduction_factor) == (16, 3, 3)
    assert (search.first_rung, search.validation_samples) == (0.11, 256)
    assert (search.sampler, search.scheduler, search.study_storage) == ("tpe", "asha", None)
    assert (final.seeds, final.test_samples) == (3, "all")
    assert (resources.cpus_per_trial, resources.gpus_per_trial, resources.concurrent_trials) == (
        1,
        "auto",
        "auto",
    )


@pytest.mark.parametrize("name", bundled_sweeps())
def test_bundled_sweeps_are_found_by_name_and_round_trip(name: str) -> None:
    sweep = load_sweep(name)
    assert Sweep.from_yaml(sweep.to_yaml()) == sweep


def test_the_bundled_dialogsum_is_the_documented_one() -> None:
    sweep = load_sweep("dialogsum")
    assert list(sweep.methods) == ["full", "lora", "lora_attention", "prompt_tuning"]
    assert sweep.task.model == "google/flan-t5-small"


def test_a_file_goes_before_a_bundled_sweep_of_its_name(write: Any) -> None:
    write(name="dialogsum")
    assert load_sweep("dialogsum").name == "small"


def test_an_absent_sweep_lists_the_bundled_ones() -> None:
    (problem,) = problems("dialogsm")
    assert problem.message.startswith("no such file, nor a bundled sweep of that name: dialogsum")
    assert problem.message.endswith("; did you mean 'dialogsum'?")


def test_methods_have_spaces_under_their_own_names() -> None:
    sweep = small(
        "methods.lora.space={rank: [8, 16], learning_rate: {high: 1e-3}}",
        "methods.cold={base: lora, fix: {dropout: 0}}",
    )
    spaces = sweep.spaces()
    assert list(spaces) == ["lora", "cold"]
    assert (sweep.base_of("lora"), sweep.base_of("cold"), spaces["cold"].name) == ("lora", "lora", "lora")
    assert spaces["lora"].distributions["rank"] == CategoricalDistribution((8, 16))
    assert spaces["lora"].distributions["learning_rate"] == FloatDistribution(1e-4, 1e-3, log=True)
    assert spaces["cold"].fixed == {"dropout": 0.0}


def test_a_method_without_a_value_is_searched_whole(write: Any) -> None:
    sweep = load_sweep(write(SMALL.replace("{lora: {}}", "\n  full:\n  lora:")))
    assert list(sweep.methods) == ["full", "lora"]


@pytest.mark.parametrize("text", ["1e-3", "1E-3", "1.e-3", "1.0e-3", "0.001", "+1e-3"])
def test_numbers_are_read_as_people_write_them(text: str) -> None:
    sweep = small(f"methods.lora.space.learning_rate=[{text}]")
    assert sweep.spaces()["lora"].default["learning_rate"] == 1e-3


def test_text_that_looks_like_a_number_survives_the_round_trip() -> None:
    sweep = small("name='1e3'", "task.prompt='{dialogue}\n \té 1e-3: '")
    assert Sweep.from_yaml(sweep.to_yaml()) == sweep
    assert Sweep.from_yaml(sweep.to_yaml()).name == "1e3"


def test_from_yaml_needs_no_data_any_more(write: Any, folder: Path) -> None:
    write("{}", "a.jsonl")
    sweep = small("task.data={train: a.jsonl}")
    (folder / "a.jsonl").unlink()
    assert Sweep.from_yaml(sweep.to_yaml()) == sweep


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must be a mapping of keys to values, got null"),
        ("- a", "must be a mapping of keys to values, got ['a']"),
        ("a: b: c", "does not parse as YAML at line 1, column 5: mapping values are not allowed here"),
        ("a: [1", "does not parse as YAML at line 1, column 6: expected ',' or ']', but got '<stream end>'"),
        (
            "a: !!python/name:os.system",
            "does not parse as YAML at line 1, column 4: could not determine a constr",
        ),
        ("a: 2026-13-45", "does not parse as YAML: month must be in 1..12"),
        ("a: 1\n---\nb: 2", "does not parse as YAML at line 2, column 1: but found another document"),
        ("a: \x00", "does not parse as YAML: unacceptable character #x0000"),
    ],
)
def test_text_that_is_no_sweep(write: Any, text: str, message: str) -> None:
    (problem,) = problems(write(text))
    assert problem.path == ""
    assert problem.message.startswith(message)


def test_bytes_that_are_no_text(folder: Path) -> None:
    (folder / "sweep.yaml").write_bytes(b"name: \xff\xfe")
    (problem,) = problems("sweep.yaml")
    assert problem.message.startswith("does not parse as YAML: ")


def test_every_key_given_twice_is_told_with_its_lines(write: Any) -> None:
    text = "seed: 1\ntask:\n  a: 1\n  a: 2\nmethods: [{b: 1, b: 2}]\nseed: 2\n"
    assert problems(write(text)) == [
        ("task.a", "given twice, on lines 3 and 4"),
        ("methods.0.b", "given twice, on lines 5 and 5"),
        ("seed", "given twice, on lines 1 and 6"),
    ]


def test_an_alias_of_itself_ends(write: Any) -> None:
    assert problems(write(f"{SMALL}\nfinal: &loop {{seeds: *loop}}"))


@pytest.mark.skipif(not UNREADABLE.exists(), reason="needs Linux: a file that even root cannot read")
def test_an_unreadable_file_is_told() -> None:
    assert problems(UNREADABLE) == [("", "cannot be read: Input/output error")]


@pytest.mark.parametrize(
    ("override", "path", "message"),
    [
        ("seed", "--set seed", "an override is written key.of.the.sweep=value"),
        ("=1", "--set =1", "an override is written key.of.the.sweep=value"),
        ("final..seeds=1", "--set final..seeds=1", "an override is written key.of.the.sweep=value"),
        ("name.x=1", "--set name.x=1", "name has no keys, it is 'small'"),
        ("seed=[", "--set seed=[", "does not parse as YAML at line 1, column 2"),
        ("finals.seeds=1", "finals", "unknown key; the keys here are name, seed, task, methods, sear"),
        (
            "final.seed=1",
            "final.seed",
            "unknown key; the keys here are seeds, test_samples, retrain_defaults; did you mean 'seeds'?",
        ),
        ("task.data={train: 1, tset: 2}", "task.data.train", "must be text, got 1"),
        (
            "methods.lora.bse=1",
            "methods.lora.bse",
            "unknown key; the keys here are base, space, fix; did you mea",
        ),
        ("methods.baseline={base: lora}", "methods", "must not name a method baseline"),
        ("methods={}", "methods", "must not be empty, got {}"),
        ("methods=[]", "methods", "must not be empty, got {}"),
        ("methods=[lora, lora]", "methods.lora", "is named twice"),
        ("methods=[lroa]", "methods.lroa", "unknown method 'lroa': must be one of"),
        (
            "methods=[lora, 3]",
            "methods",
            "must be a mapping of keys to values, or a list of names, got ['lora'",
        ),
        ("methods=lora", "methods", "must be a mapping of keys to values, got 'lora'"),
        ("name=../up", "name", "must be letters, digits, '_' and '-', the first a letter or a digit"),
        (
            "search.study_storage=postgresql://host/db?user=me&Password=secret",
            "search.study_storage",
            "must not hold a password",
        ),
        (
            "search.study_storage=postgresql://me:secret@host/db",
            "search.study_storage",
            "must not hold a password",
        ),
        ("search.study_storage=study.db", "search.study_storage", "must be a URL such as sqlite:///"),
        ("resources.gpus_per_trial=all", "resources.gpus_per_trial", "must be a number, or auto, got 'all'"),
        (
            "resources.gpus_per_trial=2",
            "resources.gpus_per_trial",
            "must be at most 1, or auto, got 2: a trial trains on one GPU, and the others would stand idle",
        ),
        ("seed=true", "seed", "must be a whole number, got True"),
    ],
)
def test_bad_overrides(write: Any, override: str, path: str, message: str) -> None:
    first = problems(write(), override)[0]
    assert first.path == path
    assert first.message.startswith(message)


def test_overrides_reach_every_depth_and_later_ones_win() -> None:
    sweep = small("final.seeds=5", "final.seeds=2", "methods.full=", "methods.lora.fix.batch_size=16")
    assert sweep.final.seeds == 2
    assert list(sweep.methods) == ["lora", "full"]
    assert sweep.spaces()["lora"].fixed == {"batch_size": 16}


def test_files_are_found_beside_the_sweep_and_then_in_the_working_folder(write: Any, folder: Path) -> None:
    for name in ("sweeps/a.jsonl", "a.jsonl", "b.csv"):
        write("", name)
    file = write(SMALL.replace("some/dialogues", "{train: a.jsonl, test: b.csv}"), "sweeps/sweep.yaml")
    data = load_sweep(file).task.data
    assert not isinstance(data, str)
    assert (data.train, data.validation, data.test) == (f"{folder}/sweeps/a.jsonl", None, f"{folder}/b.csv")


def test_a_missing_file_names_what_was_tried(write: Any, folder: Path) -> None:
    file = write(SMALL.replace("some/dialogues", "{train: a.jsonl}"), "sweeps/sweep.yaml")
    tried = f"no such file; tried {folder}/sweeps/a.jsonl, {folder}/a.jsonl"
    assert problems(file) == [("task.data.train", tried)]


def test_a_models_folder_becomes_absolute_and_a_hub_id_stays(folder: Path) -> None:
    (folder / "models" / "t5").mkdir(parents=True)
    (folder / "embedded").mkdir()
    assert small("task.model=models/t5").task.model == f"{folder}/models/t5"
    assert small("task.model=google/flan-t5-small").task.model == "google/flan-t5-small"
    assert small("task.model=embedded").task.model == "embedded"


def test_a_data_folder_becomes_absolute_and_a_hub_id_stays(write: Any, folder: Path) -> None:
    for name in ("sweeps/dialogues", "dialogues", "sets/talk", "embedded"):
        (folder / name).mkdir(parents=True)
    texts = {name: SMALL.replace("some/dialogues", name) for name in FOLDERS}
    found = {name: load_sweep(write(text, "sweeps/sweep.yaml")).task.data for name, text in texts.items()}
    assert found == {name: place.format(folder) for name, place in FOLDERS.items()}


FOLDERS = {
    "dialogues": "{}/sweeps/dialogues",
    "./dialogues/": "{}/sweeps/dialogues",
    "sets/talk": "{}/sets/talk",
    "../dialogues": "{}/dialogues",
    "some/dialogues": "some/dialogues",
    "embedded": "embedded",
}


@pytest.mark.parametrize("name", ["./dialogues", "dialogues/", "a/b/c", "~/no/dialogues"])
def test_a_missing_data_folder_names_what_was_tried(write: Any, folder: Path, name: str) -> None:
    ((path, message),) = problems(write(SMALL.replace("some/dialogues", name), "sweeps/sweep.yaml"))
    assert path == "task.data"
    places = dict.fromkeys((base / Path(name).expanduser()) for base in (folder / "sweeps", folder))
    assert message == f"no such folder; tried {', '.join(map(str, places))}"


def test_a_data_file_in_the_place_of_a_folder_is_told_how_to_be_named(write: Any) -> None:
    (problem,) = problems(write(SMALL.replace("some/dialogues", "train.jsonl")))
    assert problem == (
        "task.data",
        "names a file: write {train: train.jsonl}, with validation and test beside",
    )


def test_the_schema_knows_methods_keys_and_descriptions() -> None:
    schema = json_schema()
    json.dumps(schema)
    mapping, names = schema["properties"]["methods"]["anyOf"]
    assert list(mapping["properties"]) == names["items"]["enum"] == spaces.available()
    assert schema["$defs"]["MethodChoice"]["properties"]["base"]["enum"] == spaces.available()
    assert "base" not in schema["$defs"]["MethodChoice"].get("required", [])
    for model in (schema, *schema["$defs"].values()):
        assert model["additionalProperties"] is False
        assert all("description" in field for field in model["properties"].values())


def test_a_list_of_methods_is_the_mapping_with_whole_spaces(write: Any) -> None:
    listed = SMALL.replace("methods: {lora: {}}", "methods: [lora, full]")
    assert load_sweep(write(listed)) == small("methods=[lora, full]") == small("methods={lora: {}, full: {}}")
    narrowed = load_sweep(write(listed), ["methods.lora.fix.rank=8", "methods.ia3="])
    assert list(narrowed.methods) == ["lora", "full", "ia3"]
    assert narrowed.methods["lora"].fix == {"rank": 8}


def test_a_tracker_that_is_not_known_is_told_with_those_that_are(write: Any) -> None:
    assert problems(write(), "tracking=[mlflow, wanb]") == [
        ("tracking.1", "must be one of mlflow, wandb, got 'wanb'; did you mean 'wandb'?")
    ]


def test_an_equal_sweep_continues() -> None:
    assert differences(small(), small()) == []


@pytest.mark.parametrize(
    "override",
    [
        "search.trials_per_method=17",
        "final.seeds=4",
        "methods.full={}",
        "methods.cold={base: lora, fix: {dropout: 0}}",
        "resources={cpus_per_trial: 2, gpus_per_trial: 0.5, concurrent_trials: 1}",
        "storage=elsewhere",
        "tracking=[mlflow]",
        "search.study_storage=sqlite:///other.db",
        "search.audit=3",
        "final.retrain_defaults=true",
    ],
)
def test_what_may_change_when_a_folder_is_continued(override: str) -> None:
    assert differences(small(), small(override)) == []


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        ("search.trials_per_method=4", ("search.trials_per_method", "may only grow; was 16, now 4")),
        ("final.seeds=1", ("final.seeds", "may only grow; was 3, now 1")),
        ("seed=1", ("seed", "must not change; was 0, now 1")),
        ("task.metric=rouge1", ("task.metric", "must not change; was 'rougeL', now 'rouge1'")),
        ("methods={full: {}}", ("methods.lora", "must not be removed: its trials are in the folder")),
        ("methods.lora.fix.rank=8", ("methods.lora.fix.rank", "must not change; was unset, now 8")),
        ("methods.lora.base=full", ("methods.lora.base", "must not change; was 'lora', now 'full'")),
        (
            "search.validation_samples=all",
            ("search.validation_samples", "must not change; was 256, now 'all'"),
        ),
    ],
)
def test_what_must_not_change_when_a_folder_is_continued(override: str, problem: tuple[str, str]) -> None:
    assert differences(small(), small(override)) == [problem]


def test_to_yaml_is_plain_yaml_in_the_order_of_the_fields() -> None:
    text = small().to_yaml()
    assert list(yaml.safe_load(text)) == list(Sweep.model_fields)
