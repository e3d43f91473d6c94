"""What `tuneoff methods` shows."""

import subprocess
import sys

import pytest

import spaces
from search.console.listings import print_methods
from trainables.errors import InputError


@pytest.fixture
def wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "400")


def rows(text):
    """The cells of each row of a printed table, by its first cell."""
    cells = [
        [cell.strip() for cell in line.strip("│").split("│")] for line in text.splitlines() if "│" in line
    ]
    return {first: rest for first, *rest in cells}


def test_every_method_has_a_row_with_its_paper_what_it_needs_and_what_is_searched(wide, capsys):
    print_methods(None)
    table = rows(capsys.readouterr().out)
    assert list(table) == spaces.available()
    for name, (paper, encoder_decoder, causal, searched) in table.items():
        space, needed = spaces.get(name), spaces.needs(name)
        assert paper == spaces.summary(name)
        assert encoder_decoder == causal == (f"with {needed}" if needed else "yes")
        own = set(searched.split(", ")) - {""}
        assert own | {"learning_rate", *spaces.COMMON} == space.distributions.keys()


def test_one_methods_table_has_ranges_and_defaults(wide, capsys):
    print_methods("lora")
    out = capsys.readouterr().out
    assert spaces.summary("lora") in out
    assert rows(out)["rank"] == ["4 to 64 (log)", "8"]
    assert rows(out).keys() == spaces.get("lora").distributions.keys()


def test_an_unknown_method_is_told():
    with pytest.raises(InputError, match="unknown method 'lorra'"):
        print_methods("lorra")


def test_the_table_takes_neither_torch_nor_ray():
    code = (
        "import sys; from search.console.listings import print_methods; print_methods(None)\n"
        "print({'torch', 'transformers', 'peft', 'ray', 'pandas'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.rstrip().endswith("set()")
