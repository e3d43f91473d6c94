"""Gather the examples that the rows of an import are of, and refuse what contradicts itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from search.importing.rows import Row
from trainables.errors import InputError
from trainables.examples import Example

MOST_NAMED = 3
"""Examples that a message names."""


@dataclass
class Examples:
    """The examples of an import, gathered from all rows that name them.

    A row without an id is of the example with its source; where no row gives that one an id, of a new one.
    """

    known: Mapping[str, Example]
    """Those of the run folder, by id; no others may be added to them."""
    sources: dict[str, str | None] = field(default_factory=dict)
    references: dict[str, tuple[str, ...]] = field(default_factory=dict)
    said: dict[tuple[str, str], str] = field(default_factory=dict)
    """(what, id) to the place that said it first."""
    ids: dict[str, list[str]] = field(default_factory=dict)
    """Source to the ids that have it."""

    def __post_init__(self) -> None:
        for example in self.known.values():
            self._enter(example.id, example.source, example.references, "the run folder")

    def named(self, rows: Sequence[Row]) -> list[tuple[str, Row]]:
        """Enter what the rows say of examples; return each with the id of its example.

        Raises:
            InputError: two rows say different things of an example.
        """
        for row in rows:
            if row.id is not None:
                self._enter(row.id, row.source, row.references, row.place)
        return [(row.id if row.id is not None else self._by_source(row), row) for row in rows]

    def example(self, name: str) -> Example:
        """Return an example.

        Raises:
            InputError: no row says its references.
        """
        if name not in self.references:
            raise InputError(
                f"The example {name!r} has no references: no file has a column 'references' for it. Name the "
                "column: --column references=NAME."
            )
        source = self.sources.get(name) or ""
        return Example(name, source, source or name, self.references[name])

    def _enter(self, name: str, source: str | None, references: tuple[str, ...] | None, place: str) -> None:
        if source is not None:
            self._same(self.sources, name, source, "source", place)
            ids = self.ids.setdefault(source, [])
            ids += [name] if name not in ids else []
        if references is not None:
            self._same(self.references, name, references, "references", place)

    def _same(self, said: dict[str, Any], name: str, value: object, what: str, place: str) -> None:
        if said.setdefault(name, value) != value:
            raise InputError(
                f"{place}: the {what} of the example {name!r} {'is' if what == 'source' else 'are'} not what "
                f"{self.said[what, name]} has. Methods are compared on the same examples."
            )
        self.said.setdefault((what, name), place)

    def _by_source(self, row: Row) -> str:
        assert row.source is not None  # a file has ids or sources
        ids = self.ids.get(row.source) or [f"test-{len(self.ids)}"]
        if len(ids) > 1:
            raise InputError(
                f"{row.place}: {', '.join(map(repr, ids[:MOST_NAMED]))} have this source, so that it does "
                "not say which example the row is of. Add a column 'id'."
            )
        self._enter(ids[0], row.source, row.references, row.place)
        return ids[0]
