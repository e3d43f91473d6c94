"""Messages about a user's mistake: the key, the rule, the value given, the choices, the likely intent."""

import difflib
from collections.abc import Iterable
from typing import NamedTuple

_LONGEST_SHOWN = 80
_SHORTEST_PART = 2


class Problem(NamedTuple):
    """One thing the user can mend: the dotted path of the key, and what is wrong with its value."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message

    def under(self, parent: str) -> "Problem":
        """Return the same problem with `parent` put before its path."""
        return Problem(".".join(part for part in (parent, self.path) if part), self.message)


class ProblemsError(ValueError):
    """Every problem found at once."""

    def __init__(self, problems: Iterable[Problem]):
        self.problems = list(problems)
        super().__init__("\n".join(map(str, self.problems)))


def did_you_mean(given: object, choices: Iterable[str]) -> str:
    """Return a hint to append to a message; empty where no choice resembles or contains what was given."""
    by_folded_name = {choice.casefold(): choice for choice in choices}
    word = str(given).casefold()
    holding = [name for name in by_folded_name if len(word) > _SHORTEST_PART and word in name]
    near = difflib.get_close_matches(word, by_folded_name, n=1) or holding
    return f"; did you mean {by_folded_name[near[0]]!r}?" if near else ""


def shown(value: object) -> str:
    """Quote a value for a message: on one line, shortened where it is long, null as YAML writes it."""
    text = "null" if value is None else repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 3]}..."
