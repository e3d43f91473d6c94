"""Share token ids between processes: a split is tokenised once a cluster."""

import dataclasses
import hashlib
from collections.abc import Callable
from pathlib import Path

import pyarrow
from pyarrow import parquet

from trainables.encode import Encoded, Encoder
from trainables.storage.atomic import new_file
from trainables.storage.place import Place, local_copy


def kept(folder: Place, name: str, encode: Callable[[], list[Encoded]]) -> list[Encoded]:
    """Read the tokens in `folder` under `name`; if there are none, or they are damaged, `encode` makes them.

    Two processes that come at once both make them: equal files, each written whole.
    """
    file = folder / f"{name}.parquet"
    try:
        with local_copy(file) as copy:
            return _read(copy)
    except (FileNotFoundError, pyarrow.ArrowInvalid):
        encoded = encode()
        with new_file(file) as draft:
            _write(encoded, draft)
        return encoded


def token_name(encoder: Encoder, fingerprint: str) -> str:
    """Name tokens after what decides them: the data, the task's prompt and limits, the tokenizer."""
    tokenizer = encoder.tokenizer
    backend = getattr(tokenizer, "backend_tokenizer", None)
    parts = [
        fingerprint,
        encoder.task.model_dump_json(exclude={"data"}),
        backend.to_str() if backend else str(sorted(tokenizer.get_vocab().items())),
        str(tokenizer.chat_template),
        str([field.name for field in dataclasses.fields(Encoded)]),
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _write(encoded: list[Encoded], file: Path) -> None:
    columns = {
        field.name: [getattr(one, field.name) for one in encoded] for field in dataclasses.fields(Encoded)
    }
    parquet.write_table(pyarrow.table(columns), file)


def _read(file: Path) -> list[Encoded]:
    return [Encoded(**row) for row in parquet.read_table(file).to_pylist()]
