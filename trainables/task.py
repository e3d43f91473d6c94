"""The task: model, data, prompt and metric, which are the same for all trials of a sweep.

Plain validated data without torch, so that a sweep file can be checked on any machine.
"""

from collections.abc import Iterator
from pathlib import Path
from string import Formatter
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationInfo, field_validator

from trainables import embedded

DATA_FORMATS = (".jsonl", ".json", ".csv", ".tsv", ".parquet")

Name = Annotated[str, Field(min_length=1)]
Count = Annotated[int, Field(ge=1)]


class DataFiles(BaseModel):
    """Local files, one a split: jsonl, json, csv, tsv or parquet; a missing split is carved from train."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    train: str = Field(description="Path of the examples to learn from.")
    validation: str | None = Field(None, description="Path of the examples that the search scores trials on.")
    test: str | None = Field(None, description="Path of the examples that only the final is scored on.")

    @field_validator("train", "validation", "test")
    @classmethod
    def _has_a_known_format(cls, path: str | None) -> str | None:
        if path is not None and Path(path).suffix.lower() not in DATA_FORMATS:
            raise ValueError(f"must end in one of {', '.join(DATA_FORMATS)}, got {path!r}")
        return path


def _is_name_or_files(data: object) -> str | None:
    if isinstance(data, str):
        return "name"
    return "files" if isinstance(data, dict | DataFiles) else None


Data = Annotated[
    Annotated[Name, Tag("name")] | Annotated[DataFiles, Tag("files")],
    Discriminator(
        _is_name_or_files,
        custom_error_type="data",
        custom_error_message='must be a hub id, "embedded", or files {train, validation, test}',
    ),
]


class Task(BaseModel):
    """What is fixed for all trials, so that only methods and hyperparameters differ."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    model: Name = Field(description='Hub id, local folder, or "embedded" (the small model of the package).')
    data: Data = Field(description='Hub id, local files {train, validation, test}, or "embedded".')
    source: Name = Field(description="Column that holds the text to read.")
    target: Name | Annotated[list[Name], Field(min_length=1)] = Field(
        description="Column that holds the text to write; a list of columns holds several references."
    )
    prompt: str = Field(
        description="What the model reads: a template that names columns in braces, the source among them."
    )
    max_source_tokens: Count = Field(512, description="Longest prompt, in tokens; longer ones are cut.")
    max_target_tokens: Count = Field(
        128, description="Longest target, in tokens: cut in training, the cap of generation in evaluation."
    )
    metric: Literal["rouge1", "rouge2", "rougeL", "rougeLsum"] = Field(
        "rougeL", description="The one objective of the search, higher is better; all four are recorded."
    )
    references: Literal["mean", "max"] = Field(
        "mean", description="How the scores against several references become one."
    )
    precision: Literal["auto", "fp32", "bf16", "fp16"] = Field(
        "auto",
        description="Of matrix products; auto: bf16 where the hardware computes in it, else fp32.",
    )
    chat_template: bool = Field(
        False, description="Wrap the prompt as a user's message in the tokenizer's chat template."
    )
    trust_remote_code: bool = Field(
        False, description="Run Python code that comes with the model: only for authors you trust."
    )
    micro_batch_size: Count | None = Field(
        None, description="Examples per forward pass: smaller saves memory; null: the whole batch at once."
    )

    @field_validator("target")
    @classmethod
    def _names_each_column_once(cls, target: str | list[str]) -> str | list[str]:
        if isinstance(target, list) and len(set(target)) < len(target):
            raise ValueError("must name each column once")
        return target

    @field_validator("prompt")
    @classmethod
    def _shows_the_source_and_hides_the_target(cls, prompt: str, info: ValidationInfo) -> str:
        columns, source, target = list(_columns(prompt)), info.data.get("source"), info.data.get("target", [])
        if source is not None and source not in columns:
            named = ", ".join(f"{{{column}}}" for column in columns) or "no column"
            raise ValueError(f"must name the source column as {{{source}}}, it names {named}")
        for column in [target] if isinstance(target, str) else target:
            if column in columns and column != source:
                raise ValueError(f"must not name the target {{{column}}}: the model would read the answer")
        return prompt

    @property
    def model_path(self) -> str:
        """Where transformers finds the model: a folder, or an id of the hub."""
        return str(embedded.MODEL) if self.model == "embedded" else self.model

    @property
    def prompt_columns(self) -> list[str]:
        """The columns that the prompt names, in order."""
        return list(dict.fromkeys(_columns(self.prompt)))

    @property
    def instruction(self) -> str:
        """The prompt's own words, without the columns."""
        return " ".join("".join(words for words, *_ in Formatter().parse(self.prompt)).split())


def _columns(template: str) -> Iterator[str]:
    """The names in braces; ValueError where they are more than a name: `{a.b}` or `{a!r}` would run code."""
    for name, spec, conversion in _fields(template):
        if not name or spec or conversion or any(sign in name for sign in ".[]"):
            raise ValueError(
                "each pair of braces must hold the name of one column and nothing else, "
                f"got {{{name}{'!' + conversion if conversion else ''}{':' + spec if spec else ''}}}; "
                "write {{ and }} for braces that stay"
            )
        yield name


def _fields(template: str) -> list[tuple[str, Any, Any]]:
    try:
        parts = list(Formatter().parse(template))
    except ValueError as error:
        raise ValueError(
            f"braces do not match ({error}); write {{{{ and }}}} for braces that stay"
        ) from error
    return [(name, spec, conversion) for _, name, spec, conversion in parts if name is not None]
