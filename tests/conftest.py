"""What all tests share: one thread, no network, tiny models and their data, golden files, a Ray cluster."""

import json
import os
import shutil
from collections.abc import Callable, Generator, Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.ray_folder import RAY_FOLDER

# Read when the libraries are first imported, so set before any test module is.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
os.environ["RAY_AUTH_MODE"] = "disabled"  # else Ray leaves a token in the home folder
os.environ["RAY_TMPDIR"] = str(RAY_FOLDER)

GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write golden files instead of comparing")
    parser.addoption(
        "--one-of-each", action="store_true", help="of each test's many cases the first that was selected"
    )


def pytest_unconfigure() -> None:
    shutil.rmtree(RAY_FOLDER, ignore_errors=True)


@pytest.hookimpl(trylast=True)  # after pytest has left out what `-m` and `-k` do not select
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--one-of-each"):
        return
    first = {(item.path, getattr(item, "originalname", item.name)): item for item in reversed(items)}
    chosen = set(first.values())
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = [item for item in items if item in chosen]


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark what joins the cluster that tests share."""
    if "cluster" in getattr(item, "fixturenames", ()):
        item.add_marker("ray")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, None, None]:
    return (yield from _without_ray(item))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    return (yield from _without_ray(item))


def _without_ray(item: pytest.Item) -> Generator[None, None, None]:
    """Fail a test that starts Ray and does not say so: what is chosen by the marker would leave it out."""
    before = _ray_folders()
    yield
    if item.get_closest_marker("ray") is None and _ray_folders() != before:
        pytest.fail("starts Ray: mark it with @pytest.mark.ray, or its file with pytestmark", pytrace=False)


def _ray_folders() -> list[int]:
    """When a cluster or a session last came into being."""
    parents = (RAY_FOLDER, *RAY_FOLDER.glob("ray"), *RAY_FOLDER.glob("*/ray"))
    return [folder.stat().st_mtime_ns for folder in parents]


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """`golden(text, name)` holds `text` against the file tests/golden/<name>."""

    def compare(text: str, name: str) -> None:
        file = GOLDEN / name
        if request.config.getoption("--update-golden"):
            file.write_text(text, encoding="utf-8")
        assert text == file.read_text(encoding="utf-8")

    return compare


@pytest.fixture(scope="session")
def corpus() -> dict[str, list[dict[str, str]]]:
    """Rows of three splits that share no dialogue; a row of test has three summaries."""
    from tests.tiny import dialogues

    rows = dialogues(68, seed=0)
    test = [
        {
            "dialogue": row["dialogue"],
            **{f"summary{i}": row["summary"] + " Good." * (i - 1) for i in (1, 2, 3)},
        }
        for row in rows[60:]
    ]
    return {"train": rows[:48], "validation": rows[48:60], "test": test}


@pytest.fixture(scope="session")
def data_files(
    corpus: dict[str, list[dict[str, str]]], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """The corpus as jsonl files."""
    folder = tmp_path_factory.mktemp("data")
    for split, rows in corpus.items():
        (folder / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return {split: str(folder / f"{split}.jsonl") for split in corpus}


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """`model_folder(family, dropout, taught)`: where such a model lies, with its tokenizer."""

    from tests.tiny import dialogues, random_model, teach, tokenizer

    @cache
    def folder(family: str, dropout: float, taught: bool) -> str:
        path = tmp_path_factory.mktemp(family)
        words = tokenizer(family)
        words.save_pretrained(path)
        model = random_model(family, len(words), dropout)
        if taught:
            teach(model, words, dialogues(64, seed=2))
        model.save_pretrained(path)
        return str(path)

    return folder


@pytest.fixture(scope="session")
def cluster() -> Iterator[str]:
    """The address of a Ray cluster with two CPUs; to join it is quicker than to start one for each sweep."""
    from tests.ray_cluster import started

    with started(num_cpus=2) as cluster:
        yield cluster.address
