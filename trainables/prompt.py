"""The prompt: a template of the task, filled with the columns of a row.

`{column}` stands for a column; a prompt with `{{`, `{%` or `{#` in it is a jinja template instead, in which
`{{ column }}` does, and single braces are braces. Whitespace stays as it is written, but a line that holds
only a `{% ... %}` leaves none, as in chat templates.
"""

import re
from collections.abc import Mapping
from functools import cache
from string import Formatter
from typing import Any, NamedTuple, Protocol

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError
from jinja2.meta import find_undeclared_variables
from jinja2.nodes import Name

from trainables.sandbox import FAULTS, Sandbox
from trainables.template_size import TemplateLimit

JINJA_SIGNS = ("{{", "{%", "{#")
_START, _END = "\ue000", "\ue001"
"""Put around the source to find its place; of Unicode's private use area, which texts do not contain."""
_ENVIRONMENT = Sandbox(
    undefined=StrictUndefined, keep_trailing_newline=True, trim_blocks=True, lstrip_blocks=True
)


class PromptError(ValueError):
    """A template that cannot be filled with a row's values."""


class Filled(NamedTuple):
    """A prompt with a row's columns in it."""

    text: str
    source: tuple[int, int] | None
    """From where to where the source text stands in it; None where it does not stand there as it is."""


class Template(Protocol):
    """A prompt taken apart."""

    columns: tuple[str, ...]
    """The columns that it names, in order."""
    words: str
    """What it says by itself, without the columns."""

    def naming(self, column: str) -> str:
        """Write a column's name as the template would."""

    def fill(self, row: Mapping[str, Any]) -> str: ...


@cache
def template(prompt: str) -> Template:
    """Parse a prompt's text into a template.

    Raises:
        ValueError: it cannot be parsed; the message says how to mend it.
    """
    return Jinja(prompt) if any(sign in prompt for sign in JINJA_SIGNS) else Braces(prompt)


def fill(prompt: Template, row: Mapping[str, Any], source: str) -> Filled:
    """Fill the template with a row; find where its column `source` stands in the prompt.

    The place is found by filling the template a second time with marks around the source, so that neither
    an instruction that says the same words nor a filter (`{{ text | upper }}`) misleads.

    Raises:
        PromptError: the template cannot be filled with this row.
    """
    text, content = prompt.fill(row), str(row[source])
    core = content.strip()
    if not core:
        return Filled(text, None)
    marked = prompt.fill({**row, source: content.replace(core, f"{_START}{core}{_END}", 1)})
    start, end = marked.find(_START), marked.find(_END) - 1
    is_found = 0 <= start < end and re.sub(f"[{_START}{_END}]", "", marked) == text
    return Filled(text, (start, end) if is_found else None)


class Braces:
    """Columns in single braces: names and nothing else. A dot leads into a column, never to an attribute."""

    def __init__(self, prompt: str) -> None:
        try:
            parts = list(Formatter().parse(prompt))
        except ValueError as error:
            raise ValueError(f"braces do not match ({error}); {_AS_JINJA}") from error
        for _, name, spec, conversion in parts:
            if name is not None and (not name or spec or conversion or any(sign in name for sign in "[]")):
                given = f"{name}{'!' + conversion if conversion else ''}{':' + spec if spec else ''}"
                raise ValueError(
                    "each pair of braces must hold the name of one column and nothing else, "
                    f"got {{{given}}}; {_AS_JINJA}"
                )
        self._parts = [(words, name) for words, name, *_ in parts]
        self.columns = tuple(dict.fromkeys(name for _, name in self._parts if name is not None))
        self.words = " ".join("".join(words for words, _ in self._parts).split())

    def naming(self, column: str) -> str:
        return f"{{{column}}}"

    def fill(self, row: Mapping[str, Any]) -> str:
        return "".join(words if name is None else f"{words}{row[name]}" for words, name in self._parts)


class Jinja:
    """A jinja template, in a sandbox with limits; a name that is no column is an error."""

    def __init__(self, prompt: str) -> None:
        try:
            self._template = _ENVIRONMENT.from_string(prompt)
            tree = _ENVIRONMENT.parse(prompt)
        except TemplateSyntaxError as error:
            raise ValueError(f"is no jinja template: line {error.lineno}: {error.message}") from error
        except (SyntaxError, RecursionError, MemoryError) as error:  # Python's own, of what jinja wrote
            raise ValueError(f"is no jinja template: nested too deeply ({error})") from error
        free = find_undeclared_variables(tree) - _ENVIRONMENT.globals.keys()
        named = (node.name for node in tree.find_all(Name))
        self.columns = tuple(dict.fromkeys(name for name in named if name in free))
        words = (text for _, kind, text in _ENVIRONMENT.lex(prompt) if kind == "data")
        self.words = " ".join("".join(words).split())

    def naming(self, column: str) -> str:
        return f"{{{{ {column} }}}}"

    def fill(self, row: Mapping[str, Any]) -> str:
        try:
            return self._template.render(row)
        except TemplateLimit as error:
            raise PromptError(f"the template {error}") from error
        except (TemplateError, *FAULTS) as error:
            raise PromptError(f"{type(error).__name__}: {error}") from error


_AS_JINJA = "for braces that stay, write a jinja template: {{ column }}"
