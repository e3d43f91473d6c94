"""Who may import whom. The layers, from the top: search, trainables, spaces; imports point down only."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from itertools import chain, pairwise
from pathlib import Path

import pytest

import search

ROOT = Path(__file__).parents[1]
MOST_LINES = 300
MOST_ON_THE_SPINE = 7
RAY_SEAM = "trainables/trainable.py"
ROOMS = (
    "compat", "statistics", "samplers", "config", "records", "importing", "studies", "schedulers", "verdict",
    "report", "cluster", "doctor", "trackers", "preflight", "engine", "console",
)  # fmt: skip
"""The packages of `search/`, from the bottom: a room may use those before it."""
TRAINING = {"torch", "transformers", "peft"}


def files(*packages: str) -> list[str]:
    return sorted(
        str(file.relative_to(ROOT)) for package in packages for file in (ROOT / package).rglob("*.py")
    )


def imports(source: str) -> set[str]:
    """Every module that a source imports, at any depth, and each name taken `from` it."""
    return {name for node in ast.walk(ast.parse(source)) for name in _imported(node)}


def _imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, f"line {node.lineno}: name the package in full"
        assert node.module is not None
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def imports_of(file: str) -> set[str]:
    return imports((ROOT / file).read_text(encoding="utf-8"))


def packages_of(file: str) -> set[str]:
    return {name.partition(".")[0] for name in imports_of(file)}


def test_imports_are_found_at_any_depth() -> None:
    source = "import a.b as c\ndef f():\n    if g:\n        from d.e import h, i\n"
    assert imports(source) == {"a.b", "d.e.h", "d.e.i"}


@pytest.mark.parametrize("file", files("spaces"))
def test_spaces_know_optuna_distributions_only(file: str) -> None:
    foreign = {
        name
        for name in imports_of(file)
        if name.partition(".")[0] not in {*sys.stdlib_module_names, "spaces"}
    }
    assert all(name.startswith("optuna.distributions.") for name in foreign)


@pytest.mark.parametrize("file", files("trainables"))
def test_trainables_never_import_search_and_meet_ray_in_one_file(file: str) -> None:
    above = {"search"} if file == RAY_SEAM else {"search", "ray"}
    assert not packages_of(file) & above


@pytest.mark.parametrize("file", files("search"))
def test_search_never_imports_what_trains(file: str) -> None:
    assert not packages_of(file) & TRAINING


def test_every_room_has_its_place_in_the_order() -> None:
    rooms = {file.parent.name for file in (ROOT / "search").glob("*/__init__.py")}
    assert rooms == set(ROOMS)
    assert {file.name for file in (ROOT / "search").glob("*.py")} == {"__init__.py", "lazy.py"}


@pytest.mark.parametrize("file", [file for file in files("search") if file.count("/") > 1])
def test_a_room_uses_what_the_rooms_below_it_export(file: str) -> None:
    room = file.split("/")[1]
    below = ROOMS[: ROOMS.index(room)]
    used = {tuple(name.split(".")[1:]) for name in imports_of(file) if name.startswith("search.")}
    others = {name for name in used if name[0] not in (room, "lazy")}
    assert {name[0] for name in others} <= set(below)
    assert all(name[1:] in {(public,) for public in exported(name[0])} for name in others)


def exported(room: str) -> list[str]:
    """The names in a room's `__all__`, read without importing it."""
    tree = ast.parse((ROOT / "search" / room / "__init__.py").read_text(encoding="utf-8"))
    assigned = [node for node in tree.body if isinstance(node, ast.Assign)]
    (names,) = [node.value for node in assigned if ast.unparse(node.targets[0]) == "__all__"]
    found: list[str] = ast.literal_eval(names)
    return found


@pytest.mark.parametrize("room", sorted(set(ROOMS) - {"console"}))
def test_a_room_exports_only_what_others_use(room: str) -> None:
    others = [
        file
        for file in files("search", "tests", "benchmarks", "tools")
        if not file.startswith(f"search/{room}/")
    ]
    used = set().union(*(imports_of(file) for file in others))
    assert [name for name in exported(room) if f"search.{room}.{name}" not in used] == []


def spine() -> list[str]:
    """The files that the README names on the way from the command to the loss, in its order."""
    paragraphs = (ROOT / "README.md").read_text(encoding="utf-8").split("\n\n")
    (way,) = [text for text in paragraphs if text.startswith("To follow a trial from the command")]
    return re.findall(r"`(\S+\.py)`", way)


def home_of(name: str) -> str | None:
    """The file that an imported name comes from, through packages that hand it on; None: it is not ours."""
    path = Path(*name.split("."))
    for file in (f"{path}.py", f"{path}/__init__.py", f"{path.parent}.py"):
        if (ROOT / file).is_file():
            return file
    package = path.parent / "__init__.py"
    if not (ROOT / package).is_file():
        return None
    handed_on = [other for other in imports_of(str(package)) if other.rpartition(".")[2] == path.name]
    return home_of(handed_on[0]) if handed_on else str(package)


def test_the_home_of_a_name_is_found_through_its_package() -> None:
    assert home_of("search.engine.run") == "search/engine/runner.py"
    assert home_of("trainables.loop.FineTuning") == home_of("trainables.loop") == "trainables/loop.py"
    assert home_of("trainables.methods") == "trainables/methods/__init__.py"
    assert home_of("ray.tune.Tuner") is None


def test_a_reader_crosses_seven_files_from_the_command_to_the_loss_each_by_an_import() -> None:
    way = spine()
    assert (way[0], way[-1]) == ("search/console/app.py", "trainables/loss.py")
    assert len(way) <= MOST_ON_THE_SPINE
    for file, following in pairwise(way):
        assert following in {home_of(name) for name in imports_of(file)}, f"{file} -> {following}"


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_says_its_purpose_in_a_line(room: str) -> None:
    doc = ast.get_docstring(ast.parse((ROOT / "search" / room / "__init__.py").read_text(encoding="utf-8")))
    assert doc
    assert doc.splitlines()[0].endswith(".")


@pytest.mark.parametrize("file", files("spaces", "trainables", "search"))
def test_a_file_is_a_small_room(file: str) -> None:
    assert len((ROOT / file).read_text(encoding="utf-8").splitlines()) < MOST_LINES


def test_what_is_imported_is_declared() -> None:
    """By the names under which packages are installed; pydantic_core is a part of pydantic."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [project["optional-dependencies"][tracker] for tracker in ("mlflow", "wandb")]
    declared = {
        re.split(r"[\[<>=]", dependency)[0].lower().replace("_", "-")
        for dependency in [*project["dependencies"], *chain.from_iterable(extras)]
    }
    installed = packages_distributions()
    imported = {name for file in files("spaces", "trainables", "search") for name in packages_of(file)}
    foreign = imported - sys.stdlib_module_names - {"spaces", "trainables", "search", "pydantic_core"}
    unknown = {
        name
        for name in foreign
        if not declared & {found.lower().replace("_", "-") for found in installed[name]}
    }
    assert unknown == set()


def test_every_space_has_a_method_of_its_name_and_the_reverse() -> None:
    def methods(package: str) -> set[str]:
        names = {file.stem for file in (ROOT / package).glob("*.py")} - {"common"}
        return {name for name in names if not name.startswith("_")}

    assert methods("spaces") == methods("trainables/methods")


@pytest.mark.parametrize(
    "module", ["search", "search.config.sweep", "search.records.results", "spaces", "trainables.task"]
)
def test_reading_a_sweep_or_its_records_loads_neither_torch_nor_ray(module: str) -> None:
    assert not {"torch", "transformers", "peft", "ray"} & loaded_by(f"import {module}")


def test_a_report_loads_what_it_needs_and_no_more() -> None:
    """Each takes a third of a second or more, of the two in which a report should be there."""
    left_out = {"torch", "transformers", "ray", "scipy.stats", "scipy.optimize", "altair"}
    assert not left_out & loaded_by("import search.report.write")


def test_the_process_that_draws_starts_before_the_report_loads_its_libraries() -> None:
    assert not {"pandas", "scipy", "numpy"} & loaded_by("from search.report import report_of")


def loaded_by(code: str) -> set[str]:
    """The modules that a fresh Python has after running `code`."""
    words = [sys.executable, "-c", f"{code}; import sys; print(*sys.modules)"]
    return set(subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split())


def test_search_exports_what_a_notebook_needs() -> None:
    code = "import search; print(*(f'{name}:{callable(getattr(search, name))}' for name in search.__all__))"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout.split() == ["load_results:True", "load_sweep:True", "run:True"]


def test_search_has_no_other_name() -> None:
    with pytest.raises(AttributeError, match="module 'search' has no attribute 'walk'"):
        search.walk  # noqa: B018
