"""A trial's state on disk: tensors as safetensors, the rest as JSON; nothing is ever unpickled.

Each checkpoint is a folder `<examples seen>`, whole or absent; the one before it is removed only after.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch import Tensor

from trainables.atomic import new_folder, write_text

TENSORS = "state.safetensors"
STATE = "state.json"
SUMS = "SHA256SUMS"


def write(root: Path, examples: int, tensors: Mapping[str, Tensor], state: Mapping[str, Any]) -> None:
    """Make the checkpoint at `examples` the only one under `root`."""
    with new_folder(root / f"{examples:012d}") as folder:
        save_file({name: tensor.detach().contiguous() for name, tensor in tensors.items()}, folder / TENSORS)
        write_text(folder / STATE, json.dumps(state))
        write_text(folder / SUMS, _sums(folder))
    for older in _newest_first(root)[1:]:
        shutil.rmtree(older)


def read(root: Path) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """Tensors and state of the newest whole checkpoint under `root`; None where there is none."""
    for folder in _newest_first(root):
        if _is_whole(folder):
            return load_file(folder / TENSORS), json.loads((folder / STATE).read_text(encoding="utf-8"))
    return None


def _newest_first(root: Path) -> list[Path]:
    return sorted((path for path in root.glob("[0-9]*") if path.is_dir()), reverse=True)


def _is_whole(folder: Path) -> bool:
    try:
        return (folder / SUMS).read_bytes() == _sums(folder).encode()
    except FileNotFoundError:
        return False


def _sums(folder: Path) -> str:
    """The checksums of both files, as `sha256sum --check` reads them."""
    return "".join(f"{_digest(folder / name)}  {name}\n" for name in (TENSORS, STATE))


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
