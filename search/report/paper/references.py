"""BibTeX entries: of the methods, by the papers that their spaces name, and of what else was used."""

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

import spaces
from search.config import Sweep

_ENTRY = re.compile(r"^@\w+\{(?P<key>[^,]+),.*?^\}$", re.MULTILINE | re.DOTALL)
_ARXIV = re.compile(r"arXiv (\d{4}\.\d{4,5})")


def papers(sweep: Sweep, method: str) -> list[str]:
    """Return the keys of a method's papers, as its space names them; empty where it names none."""
    named = _ARXIV.findall(spaces.summary(sweep.base_of(method)))
    return [key_of(number) for number in named]


def key_of(arxiv: str) -> str:
    """Return the key of a paper; of one that references.bib lacks its number with arXiv."""
    found = (key for key, entry in _entries().items() if f"eprint = {{{arxiv}}}" in entry)
    return next(found, f"arxiv{arxiv}")


def bibliography(keys: Iterable[str]) -> str:
    """Write the entries of `keys`, each once, sorted."""
    known = _entries()
    return "\n".join(f"{known.get(key) or _unknown(key)}\n" for key in sorted(set(keys)))


def _unknown(key: str) -> str:
    number = key.removeprefix("arxiv")
    facts = f"title = {{arXiv:{number}}}, eprint = {{{number}}}, archiveprefix = {{arXiv}}"
    return f"@misc{{{key},\n  {facts}\n}}"


@cache
def _entries() -> dict[str, str]:
    content = files(__package__).joinpath("references.bib").read_text(encoding="utf-8")
    return {entry["key"]: entry[0] for entry in _ENTRY.finditer(content)}
