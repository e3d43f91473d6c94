"""The generated pages say all that the program knows."""

import re

from pydantic import BaseModel

import spaces
from search.config.resources import Resources
from search.config.settings import Final, MethodChoice, Search
from search.config.sweep import Sweep
from tools.site.reference import SECTIONS, methods, sweep_file
from trainables.task import Task

PAGE = sweep_file()


def rows(heading: str) -> dict[str, list[str]]:
    """The cells of each row below a heading, by its key."""
    section = re.split(r"^## ", PAGE, flags=re.M)
    text = next(part for part in section if part.startswith(heading))
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    cells = [re.split(r"(?<!\\) \| ", line.strip("| ")) for line in lines]
    return {re.sub(r"[`*]", "", key): rest for key, *rest in cells}


def test_every_key_has_a_row_with_its_meaning():
    models: list[type[BaseModel]] = [Task, MethodChoice, Search, Final, Resources]
    for section, model in zip(SECTIONS, models, strict=True):
        found = rows(f"`{section}`")
        assert found.keys() == model.model_fields.keys()
        for key, field in model.model_fields.items():
            assert field.description
            assert found[key][-1] == field.description.replace("|", "\\|")
    assert rows("At the top").keys() | set(SECTIONS) | {"format"} == Sweep.model_fields.keys()


def test_values_and_defaults_are_those_of_the_settings():
    assert rows("`search`")["trials_per_method"][:2] == ["whole number from 1, `null`", "`16`"]
    assert '`"tpe"`' in rows("`search`")["sampler"][0]
    assert "{train, validation, test}" in rows("`task`")["data"][0]


def test_every_method_has_a_section_with_its_space():
    page = methods()
    for name in spaces.available():
        section = page.split(f"\n## {name}\n")[1].split("\n## ")[0]
        assert spaces.summary(name) in section
        own = [key for key in spaces.get(name).distributions if name == "full" or key not in spaces.COMMON]
        assert re.findall(r"^\| `(\w+)` \|", section, flags=re.M) == own
