"""Which files a split's name in a sweep means: one, those of a pattern or of a folder, or a URL."""

from glob import glob, has_magic
from pathlib import Path

DATA_FORMATS = (".jsonl", ".json", ".csv", ".tsv", ".parquet", ".arrow")
PACKED = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd"}
"""Endings after that of the format, and how pyarrow calls what wrote them."""


def format_of(name: str) -> str | None:
    """Return the ending that says how a file is read, `.jsonl` of `a.jsonl.gz`; None where it has none."""
    suffix = Path(_unpacked(name)).suffix.lower()
    return suffix if suffix in DATA_FORMATS else None


def packing_of(name: str) -> str | None:
    """Return how a file is compressed, in pyarrow's word; None where it is not."""
    return PACKED.get(Path(name).suffix.lower())


def _unpacked(name: str) -> str:
    return str(Path(name).with_suffix("")) if packing_of(name) else name


def is_url(name: str) -> bool:
    return "://" in name


def is_saved(folder: Path) -> bool:
    """Return whether `Dataset.save_to_disk` wrote the folder."""
    return (folder / "state.json").is_file()


def files_of(path: Path) -> list[Path]:
    """List the data files that a path means, sorted; of a folder all whose ending is known.

    Empty where there is none; a folder that `save_to_disk` wrote is listed as itself.
    """
    if path.is_dir():
        if is_saved(path):
            return [path]
        return sorted(file for file in path.iterdir() if file.is_file() and format_of(file.name))
    if path.is_file():
        return [path]
    if not has_magic(str(path)):
        return []
    found = map(Path, glob(str(path), recursive=True))  # noqa: PTH207 (the pattern may be absolute)
    return sorted(file for file in found if file.is_file())
