"""A trial's state on disk: tensors as safetensors, the rest as JSON; nothing is ever unpickled.

Each checkpoint is a folder `<examples seen>`, whole or absent, sealed by its checksums. The one before the
newest is kept too: disks lose what they have confirmed, and a sweep lives on many of them.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from safetensors.torch import load_file, save_file
from torch import Tensor

from trainables.amounts import number
from trainables.storage.atomic import new_folder, write_text
from trainables.storage.place import Place, local_copy, remove
from trainables.storage.sums import is_whole, seal

TENSORS = "state.safetensors"
STATE = "state.json"


def write(root: Place, examples: int, tensors: Mapping[str, Tensor], state: Mapping[str, Any]) -> None:
    """Make the checkpoint at `examples` the newest under `root`, and keep the one before it."""
    name = f"{examples:012d}"
    with new_folder(root / name) as folder:
        save_file({name: tensor.detach().contiguous() for name, tensor in tensors.items()}, folder / TENSORS)
        write_text(folder / STATE, json.dumps(state))
        seal(folder)
    older = [folder for folder in _newest_first(root) if folder.name < name]
    kept = {name, *(folder.name for folder in older[:1])}
    for other in _newest_first(root):
        if other.name not in kept:  # one that is newer was damaged: this one goes on from an older
            remove(other)


def read(
    root: Place, on_damage: Callable[[str], None] = lambda remark: None
) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """Read tensors and state of the newest whole checkpoint under `root`; None if there is none.

    `on_damage` is called with a line for each newer one that was skipped because its checksums differ.
    """
    for folder in _newest_first(root):
        with local_copy(folder) as copy:
            if is_whole(copy):
                return load_file(copy / TENSORS), json.loads((copy / STATE).read_text(encoding="utf-8"))
        on_damage(f"The checkpoint at {number(int(folder.name))} examples was damaged and passed over.")
    return None


def _newest_first(root: Place) -> list[Place]:
    folders: list[Place] = [path for path in root.glob("[0-9]*") if path.is_dir()]
    return sorted(folders, key=lambda folder: folder.name, reverse=True)
