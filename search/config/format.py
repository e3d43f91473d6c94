"""The format of run folders. Each file that a later start reads back says its number.

The promise: an older tuneoff refuses a newer folder and touches nothing in it; a newer one reads every format
that was released. Keys may be added within a format, and who does not know them keeps them; whatever else an
older tuneoff would misread takes a new number.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from trainables.errors import InputError

Format = Literal[2]
FORMAT: Format = 2
"""What this tuneoff writes. A file that says none is of format 1, whose first files did not.

Format 2 calls the search phase `search` in sweeps and records (format 1: `qualifying`), a task's type
`task.type` (`task.kind`), the retraining of default configurations `final.retrain_defaults`
(`final.untuned`), and what a preflight check found `checks` (`gates`). The phase `untuned` and the ids of its
records keep their name: they name folders of checkpoints and predictions.
"""
RENAMED_SETTINGS = {
    "qualifying": "search",
    "task.kind": "task.type",
    "final.untuned": "final.retrain_defaults",
}
"""Keys of a sweep file in format 1, and what they are called now; a nested one stays where it is."""


def renamed_settings(sweep: dict[str, Any]) -> list[tuple[str, str]]:
    """Give settings of format 1 their new keys, in place; returns the old and the new key of each.

    Where a file has both keys the old one stays, and is told as unknown.
    """
    found = []
    for old, new in RENAMED_SETTINGS.items():
        *parents, key = old.split(".")
        settings, new_key = _settings(sweep, parents), new.split(".")[-1]
        if key in settings and new_key not in settings:
            settings[new_key] = settings.pop(key)
            found.append((old, new))
    return found


def renamed_setting(path: str) -> str:
    """The path of a setting as it is called now: `search.audit` for `qualifying.audit`."""
    for old, new in RENAMED_SETTINGS.items():
        if f"{path}.".startswith(f"{old}."):
            return new + path.removeprefix(old)
    return path


def _settings(sweep: dict[str, Any], parents: Sequence[str]) -> dict[str, Any]:
    """The mapping that holds a nested key; an empty one where there is none."""
    for parent in parents:
        child = sweep.get(parent)
        sweep = child if isinstance(child, dict) else {}
    return sweep


def upgraded(content: Any, **renamed: Mapping[str, str]) -> Any:
    """The content of a file of format 1 as format 2 says it; any other content as it is.

    Args:
        content: what was parsed of the file.
        renamed: key to the values of format 1 that are called otherwise now.
    """
    if not isinstance(content, dict) or type(number := content.get("format", 1)) is not int or number != 1:
        return content
    values = {key: new[content[key]] for key, new in renamed.items() if content.get(key) in new}
    return {**content, **values, "format": FORMAT}


def refuse_newer(content: object, source: object) -> None:
    """Raise InputError where the content of the file `source` says that it is of a later format."""
    number = content.get("format") if isinstance(content, dict) else None
    if type(number) is int and number > FORMAT:
        raise InputError(
            f"{source} is of format {number}, which a newer tuneoff wrote; this one knows formats up to "
            f"{FORMAT}. It is left as it is. Install the newer tuneoff, or name another folder."
        )


def refuse_newer_json(content: bytes, source: object) -> None:
    """As `refuse_newer`, of a text that may be damaged."""
    try:
        parsed = json.loads(content)
    except (ValueError, RecursionError):
        return
    refuse_newer(parsed, source)
