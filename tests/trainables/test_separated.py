"""CSV and TSV, row for row: beside Python's csv module, pandas, pyarrow, and what was written by hand."""

import csv
import json
from pathlib import Path
from random import Random
from typing import Any

import pandas as pd
import pytest
from pyarrow import csv as arrow_csv

from trainables.data import train_rows
from trainables.data_source import DataFiles
from trainables.errors import InputError

SHARED = Path(__file__).parents[3] / "shared" / "data"
Table = list[list[str]]


def read(file: Path) -> Table:
    """The header and the rows of a data file, as a sweep reads it."""
    frame = train_rows(DataFiles(train=str(file)))
    return [list(frame.columns), *frame.to_numpy().tolist()]


def written(file: Path, content: str | bytes) -> Path:
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def hostile(random: Random, letters: str) -> str:
    return "".join(random.choice(letters) for _ in range(random.randrange(6)))


def table(seed: int, letters: str) -> Table:
    """A header and rows of short texts, of which none is blank in both columns."""
    random = Random(seed)
    rows = [[hostile(random, letters), f"s{hostile(random, letters)}"] for _ in range(random.randrange(1, 9))]
    return [["dialogue", "summary"], *rows]


LETTERS = "ab \",\t'\\\n\r\u2028é"
WRITERS: dict[str, dict[str, Any]] = {
    "minimal": {},
    "all": {"quoting": csv.QUOTE_ALL},
    "unix": {"lineterminator": "\n"},
    "nonnumeric": {"quoting": csv.QUOTE_NONNUMERIC},
}


@pytest.mark.parametrize("how", WRITERS)
@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
def test_what_the_csv_module_writes_is_read_and_so_does_the_module(
    tmp_path: Path, suffix: str, how: str
) -> None:
    dialect: dict[str, Any] = {"delimiter": "\t" if suffix == ".tsv" else ",", **WRITERS[how]}
    # before 3.13 the module leaves a carriage return without quotes where lines do not end in one
    letters = LETTERS.replace("\r", "") if how == "unix" else LETTERS
    for seed in range(100):
        expected = table(seed, letters)
        with (tmp_path / f"a{suffix}").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, **dialect).writerows(expected)
        with (tmp_path / f"a{suffix}").open(encoding="utf-8", newline="") as file:
            assert list(csv.reader(file, **dialect)) == expected
        assert read(tmp_path / f"a{suffix}") == expected, seed


@pytest.mark.parametrize(("suffix", "separator"), [(".csv", ","), (".tsv", "\t")])
def test_what_pandas_and_pyarrow_write_is_read(tmp_path: Path, suffix: str, separator: str) -> None:
    options = arrow_csv.WriteOptions(delimiter=separator)
    for seed in range(50):
        expected = table(seed, LETTERS.replace("\r", ""))
        frame = pd.DataFrame(expected[1:], columns=expected[0])
        frame.to_csv(tmp_path / f"a{suffix}", sep=separator, index=False)
        assert read(tmp_path / f"a{suffix}") == expected, seed
        arrow_csv.write_csv(arrow_table(frame), tmp_path / f"b{suffix}", options)
        assert read(tmp_path / f"b{suffix}") == expected, seed


def arrow_table(frame: pd.DataFrame) -> Any:
    import pyarrow

    return pyarrow.Table.from_pandas(frame, preserve_index=False)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_tsv_without_quotes_is_read_as_it_stands(tmp_path: Path, end: str) -> None:
    for seed in range(200):
        expected = table(seed, LETTERS.translate({ord(c): None for c in "\t\n\r"}))
        text = end.join("\t".join(row) for row in expected)
        assert read(written(tmp_path / "a.tsv", text + end * (seed % 3))) == expected, seed


BY_HAND: dict[str, tuple[str, str, Table]] = {
    "speech": (
        ".tsv",
        'en\tde\n"Hello," she said.\t"Hallo", sagte sie.\n"Yes."\t"Ja."\n12" long\t12" lang\n',
        [
            ["en", "de"],
            ['"Hello," she said.', '"Hallo", sagte sie.'],
            ['"Yes."', '"Ja."'],
            ['12" long', '12" lang'],
        ],
    ),
    "a quote that never ends": (".tsv", 'a\tb\n"x\ty\nz\tw', [["a", "b"], ['"x', "y"], ["z", "w"]]),
    "a quote over two rows": (".tsv", 'a\tb\nx\t"y\nz\tw"\n', [["a", "b"], ["x", '"y'], ["z", 'w"']]),
    "a quote over two columns": (".tsv", 'a\tb\n"x\ty"\n', [["a", "b"], ['"x', 'y"']]),
    "quoted where needed": (".tsv", 'a\tb\n"x\ty"\t"say ""z"""\n', [["a", "b"], ["x\ty", 'say "z"']]),
    "a quoted header": (".tsv", '"a"\t"b"\n"x"\t"7"\n', [["a", "b"], ["x", "7"]]),
    "doubled quotes of a plain file": (
        ".tsv", 'a\tb\n"x"\ty\n"say ""z"""\tw\n', [["a", "b"], ['"x"', "y"], ['"say ""z"""', "w"]]
    ),
    "backslashes": (".tsv", "a\tb\nx\\ty\t\\N\n", [["a", "b"], ["x\\ty", "\\N"]]),
    "a byte order mark": (".csv", "\ufeffa,b\nx,y\n", [["a", "b"], ["x", "y"]]),
    "blank lines": (".csv", "a,b\n\nx,y\n  \n\nz,w\n\n", [["a", "b"], ["x", "y"], ["z", "w"]]),
    "empty fields": (".csv", 'a,b\n,\nx,""\n', [["a", "b"], ["", ""], ["x", ""]]),
    "an index without a name": (".csv", ",a\n0,x\n1,y\n", [["Unnamed: 0", "a"], ["0", "x"], ["1", "y"]]),
    "a break in quotes": (".csv", 'a,b\r\n"x\r\ny",z\r\n', [["a", "b"], ["x\r\ny", "z"]]),
    "spaces": (".csv", "a,b\n x , y\n", [["a", "b"], [" x ", " y"]]),
    "a long text": (".csv", f"a,b\n{'x' * 200_000},y\n", [["a", "b"], ["x" * 200_000, "y"]]),
}  # fmt: skip


@pytest.mark.parametrize("case", BY_HAND)
def test_files_written_by_hand(tmp_path: Path, case: str) -> None:
    suffix, content, expected = BY_HAND[case]
    assert read(written(tmp_path / f"a{suffix}", content)) == expected


WRONG = {
    "every row a field too long": (".csv", "a,b\n1,x,y\n2,z,w\n", "line 2 has 3 fields, the header 2"),
    "a row too long": (".csv", "a,b\nx,y\nx, and z,y\n", "line 3 has 3 fields, the header 2"),
    "a comma at the end": (".csv", "a,b\nx,y,\n", "line 2 has 3 fields, the header 2"),
    "a row too short": (".csv", 'a,b\n"x\ny",z\nw\n', "line 4 has 1 fields, the header 2"),
    "a quote within quotes": (".csv", 'a,b\n"x "y" z",w\n', "line 2: ',' expected after '\"'"),
    "a backslash for a quote": (".csv", 'a,b\n"x \\"y, z\\"",w\n', "line 2: ',' expected after '\"'"),
    "quotes that never end": (".csv", 'a,b\nx,y\n"z,w\n', "line 3: unexpected end of data"),
    "a column twice": (".csv", "a,b,a\nx,y,z\n", "the header names 'a' twice"),
    "a tab too many": (".tsv", "a\tb\nx\ty\tz\n", "line 2 has 3 fields, the header 2. A .tsv has no quotes"),
    "a tab too few": (".tsv", 'a\tb\n"x"\ty\nz\n', "line 3 has 1 fields, the header 2. A .tsv has no quotes"),
    "a tab in a quoted file": (".tsv", '"a"\t"b"\nx\ty\tz\n', "line 2 has 3 fields, the header 2. Is a tab"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_row_that_does_not_fit_is_told_with_file_and_line(tmp_path: Path, case: str) -> None:
    suffix, content, told = WRONG[case]
    file = written(tmp_path / f"a{suffix}", content)
    with pytest.raises(InputError) as error:
        read(file)
    message = str(error.value)
    assert message.startswith(f"Data file {file} cannot be read as {suffix[1:]}: ")
    assert told in message


def test_the_limit_of_the_csv_module_is_left_as_it_was(tmp_path: Path) -> None:
    before = csv.field_size_limit()
    read(written(tmp_path / "a.csv", f"a,b\n{'x' * 200_000},y\n"))
    assert csv.field_size_limit() == before


@pytest.mark.skipif(not SHARED.exists(), reason="needs the real data of ../shared/data")
@pytest.mark.parametrize("split", ["dev", "test", "train"])
def test_sentences_of_tatoeba_come_out_as_they_went_in(tmp_path: Path, split: str) -> None:
    lines = (SHARED / "tatoeba_en_de" / f"{split}.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    expected = [["id", "en", "de"], *([row["id"], row["en"], row["de"]] for row in rows)]
    assert sum('"' in row["en"] + row["de"] for row in rows)
    plain = "".join("\t".join(row) + "\n" for row in expected)
    assert read(written(tmp_path / "plain.tsv", plain)) == expected
    for suffix, separator in ((".csv", ","), (".tsv", "\t")):
        frame = pd.DataFrame(expected[1:], columns=expected[0])
        frame.to_csv(tmp_path / f"quoted{suffix}", sep=separator, index=False)
        assert read(tmp_path / f"quoted{suffix}") == expected
