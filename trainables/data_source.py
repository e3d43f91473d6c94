"""Where a task's data come from: files, a folder, or a data set of the hub."""

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, field_validator

from trainables.data_files import DATA_FORMATS, PACKED, format_of

Name = Annotated[str, Field(min_length=1)]
_HUB_ID = re.compile(r"[A-Za-z0-9_][\w.-]*(/[A-Za-z0-9_][\w.-]*)?")


def is_path(name: str) -> bool:
    """Return whether it cannot be a hub id (`name`, `owner/name`): `./name`, `name/`, `a/b/c`, `~/name`."""
    return _HUB_ID.fullmatch(name) is None


class DataFiles(BaseModel):
    """Files, one or many a split: jsonl, json, csv, tsv, parquet or arrow, packed or not.

    Each is a path, a pattern (`parts/*.jsonl.gz`), a folder, or a URL. A missing split is carved from train.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    train: str = Field(description="Path of the examples to learn from.")
    validation: str | None = Field(None, description="Path of the examples that the search scores trials on.")
    test: str | None = Field(None, description="Path of the examples that only the final is scored on.")

    @field_validator("train", "validation", "test")
    @classmethod
    def _has_a_known_format(cls, path: str | None) -> str | None:
        if path is not None and not format_of(path) and Path(path).suffix and not path.endswith("/"):
            raise ValueError(
                f"must end in one of {', '.join(DATA_FORMATS)} ({', '.join(PACKED)} after it), or name a "
                f"folder (folder/), got {path!r}"
            )
        return path


class HubData(BaseModel):
    """A data set of the Hugging Face hub, and which part of it."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    hub: Name = Field(description="Its id: owner/name.")
    config: Name | None = Field(None, description="Its configuration, or subset; null: the only one.")
    revision: Name | None = Field(None, description="Commit, branch or tag; null: the newest.")
    splits: dict[Literal["train", "validation", "test"], Name] | None = Field(
        None,
        description="Its part for each split, as datasets writes it: train, train[-5%:]; null: those of "
        "usual names. One that is left out is carved from train.",
    )

    @field_validator("splits")
    @classmethod
    def _has_a_train_split(cls, splits: dict[str, str] | None) -> dict[str, str] | None:
        if splits is not None and "train" not in splits:
            raise ValueError("must name the part for train")
        return splits


def _kind_of_data(data: object) -> str | None:
    if isinstance(data, str):
        return "name"
    if isinstance(data, HubData) or (isinstance(data, dict) and "hub" in data):
        return "hub"
    return "files" if isinstance(data, dict | DataFiles) else None


Data = Annotated[
    Annotated[Name, Tag("name")] | Annotated[DataFiles, Tag("files")] | Annotated[HubData, Tag("hub")],
    Discriminator(
        _kind_of_data,
        custom_error_type="data",
        custom_error_message='must be a hub id, {hub: ...}, "embedded", or files {train, validation, test}',
    ),
]
