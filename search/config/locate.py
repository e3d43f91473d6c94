"""Where the files of a sweep are: the sweep itself, and the data and model that it names."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from search.config.problems import Problem, SweepError
from spaces import did_you_mean
from trainables.data_files import files_of, format_of, is_url
from trainables.data_source import is_path
from trainables.metrics import named

BUNDLED = Path(__file__).parents[1] / "sweeps"


def bundled_sweeps() -> list[str]:
    """The names of the sweeps that ship with the package."""
    return sorted(file.stem for file in BUNDLED.glob("*.yaml"))


def sweep_file(path: str | Path) -> Path:
    """The file at `path`, or else the bundled sweep of that name."""
    names = bundled_sweeps()
    if _exists(Path(path), Path.is_file):
        return Path(path)
    if str(path) in names:
        return BUNDLED / f"{path}.yaml"
    message = f"no such file, nor a bundled sweep of that name: {', '.join(names)}{did_you_mean(path, names)}"
    raise SweepError([Problem("", message)], str(path))


def read(file: Path) -> bytes:
    """What is in the file; SweepError where it cannot be read."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise SweepError([Problem("", f"cannot be read: {error.strerror}")], str(file)) from error


def resolve(data: dict[str, Any], folder: Path, *, elsewhere: bool = False) -> list[Problem]:
    """Make the paths of the task absolute, so that a trial finds them from any folder on the machine.

    A relative path is looked up beside the sweep file, then in the working directory. A model, or data, that
    is no folder here is left as it is where a hub id looks the same. Returns the data files and folders that
    do not exist, for a sweep that is run `elsewhere` only those without a whole path.
    """
    task = data.get("task")
    if not isinstance(task, dict):
        return []
    if isinstance(model := task.get("model"), str) and model not in ("", "embedded"):
        task["model"] = next(
            (str(place) for place in _places(model, folder) if _exists(place, Path.is_dir)), model
        )
    if isinstance(metric := task.get("metric"), str):
        task["metric"] = _resolve_module(metric, folder)
    sources = task.get("data")
    if isinstance(sources, dict) and "hub" not in sources:
        return list(_resolve_files(sources, folder, elsewhere))
    if isinstance(sources, str) and sources not in ("", "embedded"):
        return list(_resolve_folder(task, sources, folder, elsewhere))
    return []


def _resolve_module(metric: str, folder: Path) -> str:
    """A module of the user's own by its path, with `:key` where it has one; a name stays."""
    name, key = named(metric)
    found = next(
        (place for place in _places(name, folder) if place.suffix == ".py" and _exists(place, Path.is_file)),
        name,
    )
    return f"{found}:{key}" if key else str(found)


def _resolve_files(files: dict[str, Any], folder: Path, elsewhere: bool) -> Iterator[Problem]:
    for split, name in files.items():
        if not isinstance(name, str) or is_url(name):
            continue
        places = _places(name, folder)
        found = next((place for place in places if _exists(place, _holds_data)), None)
        if found is None and not (elsewhere and Path(name).is_absolute()):
            yield Problem(f"task.data.{split}", f"no such file; tried {', '.join(map(str, places))}")
        else:
            files[split] = str(found or name)


def _resolve_folder(task: dict[str, Any], name: str, folder: Path, elsewhere: bool) -> Iterator[Problem]:
    places = _places(name, folder)
    found = next((place for place in places if _exists(place, Path.is_dir)), None)
    if found is not None:
        task["data"] = str(found)
    elif format_of(name):
        yield Problem("task.data", f"names a file: write {{train: {name}}}, with validation and test beside")
    elif is_path(name) and not (elsewhere and Path(name).is_absolute()):
        yield Problem("task.data", f"no such folder; tried {', '.join(map(str, places))}")


def _holds_data(place: Path) -> bool:
    return place.is_dir() or bool(files_of(place))


def _places(name: str, folder: Path) -> list[Path]:
    try:
        path = Path(name).expanduser()
    except RuntimeError:  # ~ of a user that is not known here
        path = Path(name)
    return list(dict.fromkeys((base / path).resolve() for base in (folder, Path.cwd())))


def _exists(place: Path, is_kind: Callable[[Path], bool]) -> bool:
    try:
        return is_kind(place)
    except (OSError, ValueError):  # a name that no disk can hold
        return False
