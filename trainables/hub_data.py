"""Read data sets of the Hugging Face hub, and folders, by the datasets library."""

from pathlib import Path
from typing import Any, Literal

import pandas as pd

from trainables.data_source import HubData, is_path
from trainables.errors import InputError

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
HUB_NAMES: dict[Split, tuple[str, ...]] = {
    "train": ("train",),
    "validation": ("validation", "valid", "dev", "val"),
    "test": ("test",),
}
FOLDER_DIGEST = 16
"""Hexadecimal digits by which the datasets library knows the content of a folder."""


def hub_frames(data: HubData) -> dict[Split, pd.DataFrame]:
    """Read the splits of a data set of the hub, or of a folder that the datasets library reads.

    Raises:
        InputError: it cannot be loaded, or has no train split.
    """
    import datasets

    name = data.hub
    try:
        loaded = _loaded(data)
    except (OSError, ValueError, RuntimeError, datasets.exceptions.DatasetsError) as error:
        raise InputError(
            f"Data set {name!r} cannot be loaded from the Hugging Face hub or its cache: {error}\n"
            "The hub may be unreachable (or HF_HUB_OFFLINE set); a private data set needs HF_TOKEN; one of "
            f"several configurations is chosen by data: {{hub: {name}, config: ...}}. Local files work "
            "without it: data: {train: train.jsonl, validation: dev.jsonl, test: test.jsonl}."
        ) from error
    if not is_path(name) and _is_of_a_folder(loaded):
        raise InputError(
            f"Data set {name!r} is not on the Hugging Face hub as far as can be told, and its cache holds "
            f"only what was once read from a folder of that name. If a folder is meant, name it as ./{name}, "
            "relative to the sweep file, or by its whole path."
        )
    if "train" not in loaded:
        raise InputError(f"Data set {name!r} has no train split; it has {', '.join(map(str, loaded))}.")
    return {
        split: loaded[split].data.table.to_pandas(integer_object_nulls=True)
        for split in SPLITS
        if split in loaded
    }


def _loaded(data: HubData) -> dict[str, Any]:
    """Load the data set by our names of its splits; where none is called train, by its own."""
    import datasets

    if (Path(data.hub) / "dataset_dict.json").is_file():
        loaded = datasets.load_from_disk(data.hub)
    elif data.splits is not None:
        parts = datasets.load_dataset(
            data.hub, data.config, revision=data.revision, split=list(data.splits.values())
        )
        return dict(zip(data.splits, parts, strict=True))
    else:
        loaded = datasets.load_dataset(data.hub, data.config, revision=data.revision)
    usual = {split: [name for name in names if name in loaded] for split, names in HUB_NAMES.items()}
    if not usual["train"]:
        return dict(loaded)
    return {str(split): loaded[names[0]] for split, names in usual.items() if names}


def _is_of_a_folder(loaded: Any) -> bool:
    """Return whether the datasets library read it from a folder, even long ago.

    It names the cache of a folder by a short digest of its content, that of a hub id by the commit.
    """
    files = [file["filename"] for split in loaded.values() for file in split.cache_files]
    return any(len(Path(file).parent.name) == FOLDER_DIGEST for file in files)
