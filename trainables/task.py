"""The task: model, data, prompt and metric, which are the same for all trials of a sweep.

Plain validated data without torch, so that a sweep file can be checked on any machine.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from spaces import did_you_mean, shown
from trainables import embedded, metrics, task_types
from trainables.data_source import Data, Name
from trainables.prompt import template

Count = Annotated[int, Field(ge=1)]


class Task(BaseModel):
    """What is fixed for all trials, so that only methods and hyperparameters differ."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    model: Name = Field(description='Hub id, local folder, or "embedded" (the small model of the package).')
    data: Data = Field(
        description="Hub id, {hub, config, revision, splits}, files {train, validation, test}, a folder, or "
        '"embedded".'
    )
    type: str = Field(
        "summarization",
        description="How outputs are made and scored.",
        json_schema_extra={"enum": [*task_types.available()]},
    )
    source: Name = Field(
        description="Column that holds the text to read; a dot leads into it: translation.de."
    )
    target: Name | Annotated[list[Name], Field(min_length=1)] = Field(
        description="Column that holds the text to write; a list of columns, as a list of texts in one "
        "column, holds several references."
    )
    train_samples: Count | Literal["all"] = Field(
        "all", description="Train examples, drawn by the seed; all: every one."
    )
    prompt: str = Field(
        description="What the model reads: a template that names columns in braces, the source among them; "
        "with {{ in it a jinja template."
    )
    max_source_tokens: Count = Field(512, description="Longest prompt, in tokens; longer ones are cut.")
    max_target_tokens: Count = Field(
        128, description="Longest target, in tokens: cut in training, the cap of generation in evaluation."
    )
    labels: list[Name] | dict[Name, Name] | None = Field(
        None,
        description="Label words of a classification, or a label word for each value of the target column; "
        "null: the target's values in the train split.",
    )
    metric: str = Field(
        "",
        description="The one objective of the search, higher is better; all of its type are recorded. "
        "Of a generation also a metric of evaluate: its name on the hub, or the path of a module.",
        validate_default=True,
    )
    metric_scale: float = Field(
        100, gt=0, description="What the values of an evaluate module are multiplied by, to be points."
    )
    references: Literal["mean", "max", "all"] | None = Field(
        None,
        description="How several references count: the mean of the scores, the highest, or all at once; "
        "null: as the metric has it, for ROUGE the mean.",
        validate_default=True,
    )
    bleu_tokenizer: Literal["13a", "intl", "char", "zh", "none"] = Field(
        "13a", description="How sacrebleu finds words: 13a for languages that put spaces between them."
    )
    precision: Literal["auto", "fp32", "bf16", "fp16"] = Field(
        "auto",
        description="Of matrix products; auto: bf16 where the hardware computes in it, else fp32. fp16 "
        "scales the loss.",
    )
    deterministic: bool = Field(
        False,
        description="Only algorithms that give the same bits each time: on a GPU equal seeds then give equal "
        "scores, in more time. What has none is refused by a preflight check.",
    )
    chat_template: bool = Field(
        False,
        description="Wrap the prompt as a user's message in the tokenizer's chat template: for instruct "
        "models.",
    )
    system: Name | None = Field(
        None, description="The system's message before the user's, in the chat template; null: none."
    )
    trust_remote_code: bool = Field(
        False, description="Run Python code that comes with the model: only for authors you trust."
    )
    micro_batch_size: Count | None = Field(
        None, description="Examples per forward pass: smaller saves memory; null: the whole batch at once."
    )
    truncation_side: Literal["end", "start"] = Field(
        "end", description="Which end of a source that is too long is cut; the prompt around it stays."
    )
    attention: Literal["auto", "eager", "sdpa", "flash_attention_2"] = Field(
        "auto",
        description="How attention is computed; auto: what transformers takes for the model. "
        "flash_attention_2 needs a GPU, the package flash-attn, and bf16 or fp16.",
    )
    gradient_checkpointing: bool = Field(
        False, description="Compute activations a second time instead of keeping them: less memory, slower."
    )
    packing: bool = Field(
        False,
        description="Train a causal model on several examples in one row, which do not see each other: "
        "less padding, the same loss.",
    )
    quantize: Literal["4bit"] | None = Field(
        None,
        description="4bit: the frozen model in NF4, as QLoRA has it, on an NVIDIA GPU; null: as stored.",
    )

    @field_validator("target")
    @classmethod
    def _names_each_column_once(cls, target: str | list[str], info: ValidationInfo) -> str | list[str]:
        if isinstance(target, list) and len(set(target)) < len(target):
            raise ValueError("must name each column once")
        name = info.data.get("type")
        if isinstance(target, list) and name and task_types.get(name).picks_labels:
            raise ValueError(f"must be one column for type: {name}: a text has one label")
        return target

    @field_validator("type")
    @classmethod
    def _is_known(cls, name: str) -> str:
        task_types.get(name)
        return name

    @field_validator("prompt")
    @classmethod
    def _shows_the_source_and_hides_the_target(cls, prompt: str, info: ValidationInfo) -> str:
        parts, source, target = template(prompt), info.data.get("source"), info.data.get("target", [])
        if source is not None and source not in parts.columns:
            named = ", ".join(map(parts.naming, parts.columns)) or "no column"
            raise ValueError(f"must name the source column as {parts.naming(source)}, it names {named}")
        for column in [target] if isinstance(target, str) else target:
            if column in parts.columns and column != source:
                raise ValueError(f"must not name the target {column!r}: the model would read the answer")
        return prompt

    @field_validator("labels", mode="before")
    @classmethod
    def _values_are_texts(cls, labels: object) -> object:
        """YAML reads `0: negative` as a number's label; in the data every value is a text."""
        return {str(key): word for key, word in labels.items()} if isinstance(labels, dict) else labels

    @field_validator("labels")
    @classmethod
    def _are_several_of_a_classification(
        cls, labels: list[str] | dict[str, str] | None, info: ValidationInfo
    ) -> list[str] | dict[str, str] | None:
        if labels is None or "type" not in info.data:
            return labels
        if not task_types.get(info.data["type"]).picks_labels:
            raise ValueError(f"belongs to type: classification, not to {info.data['type']}")
        words = [*labels.values()] if isinstance(labels, dict) else labels
        if len(words) < 2 or len(set(words)) < len(words):
            raise ValueError(f"must be two words or more, each once, got {shown(words)}")
        return labels

    @field_validator("metric")
    @classmethod
    def _is_of_the_type(cls, metric: str, info: ValidationInfo) -> str:
        if "type" not in info.data:
            return metric
        name, task_type = info.data["type"], task_types.get(info.data["type"])
        choices = [score for score, of in metrics.scores().items() if of in task_type.metrics]
        if not task_type.metrics:
            return _of_generation(metric)
        if metric and metric not in choices:
            raise ValueError(
                f"must be one of {', '.join(choices)} for type: {name}, got {shown(metric)}"
                f"{did_you_mean(metric, choices)}"
            )
        return metric or task_type.score or ""

    @field_validator("references")
    @classmethod
    def _are_counted_as_the_metric_can(cls, rule: Any, info: ValidationInfo) -> Any:
        if not info.data.get("metric"):
            return rule
        choices = metrics.references(metrics.metric_of(info.data["metric"]))
        if rule is not None and rule not in choices:
            raise ValueError(f"must be {' or '.join(choices)} for {info.data['metric']}, got {shown(rule)}")
        return rule or choices[0]

    @field_validator("system")
    @classmethod
    def _needs_the_chat_template(cls, system: str | None, info: ValidationInfo) -> str | None:
        if system is not None and not info.data.get("chat_template", True):
            raise ValueError("belongs to a chat template: set chat_template: true, or put it into the prompt")
        return system

    @property
    def model_path(self) -> str:
        """Where transformers finds the model: a folder, or an id of the hub."""
        return str(embedded.MODEL) if self.model == "embedded" else self.model

    @property
    def packed_tokens(self) -> int | None:
        """Tokens that a row holds where examples are packed: the longest example fits; None: they are not."""
        return self.max_source_tokens + self.max_target_tokens if self.packing else None

    @property
    def prompt_columns(self) -> list[str]:
        """The columns that the prompt names, in order."""
        return list(template(self.prompt).columns)

    @property
    def instruction(self) -> str:
        """The prompt's own words, without the columns."""
        return template(self.prompt).words

    @property
    def picks_labels(self) -> bool:
        """Whether an output is the most likely label word, not generated text."""
        return task_types.get(self.type).picks_labels

    @property
    def scored_by(self) -> tuple[str, ...]:
        """The files of `trainables.metrics` whose scores are recorded."""
        return task_types.get(self.type).metrics or (metrics.metric_of(self.metric),)

    def rules(self, labels: tuple[str, ...] = ()) -> metrics.Rules:
        """Return how outputs are scored; `labels` are those of the data."""
        assert self.references is not None
        module = self.metric if self.scored_by == ("evaluate",) else None
        return metrics.Rules(self.references, labels, self.bleu_tokenizer, module, self.metric_scale)


def _of_generation(metric: str) -> str:
    """Check a generation's metric: one of ours, or of `evaluate`, whose names only loading can check."""
    ours = [score for score, of in metrics.scores().items() if of not in ("evaluate", "labels")]
    if not metric:
        raise ValueError(f"is required for type: generation: one of {', '.join(ours)}, or one of evaluate")
    if metrics.metric_of(metric) == "labels":
        raise ValueError(f"{metric} is for type: classification")
    if metrics.named(metric).name in metrics.LOWER_IS_BETTER:
        raise ValueError(f"the search looks for the highest score, and the lowest {metric} is the best")
    return metric
