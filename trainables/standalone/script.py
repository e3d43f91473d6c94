"""The script `predict.py`, which writes what a run of the final wrote, with transformers and peft alone.

It says again what `trainables.encode`, `trainables.inference` and `trainables.model` do, for one text at a
time: without padding none of it depends on how texts are batched. Plain text without torch.
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import jinja2

from trainables.inference import SPECIAL_TOKENS
from trainables.prompt import JINJA_SIGNS
from trainables.rung_report import Precision
from trainables.task import Task

BASE = "base"
"""The folder beside an adapter that holds the model under it, where no hub has that."""
DTYPES = {"bf16": "bfloat16", "fp16": "float16"}


@dataclass(frozen=True)
class Weights:
    """What kind of weights lie beside the script."""

    is_adapter: bool
    """In peft's format; else a whole model with its tokenizer."""
    is_encoder_decoder: bool
    has_base: bool = False
    """Whether the model under an adapter lies beside it, in `BASE`."""


def script(task: Task, weights: Weights, precision: Precision, labels: tuple[str, ...] = ()) -> str:
    """Write the script; `labels` are those that a classification picks from.

    It computes in `precision`, in which the run was scored, on whatever device there is.
    """
    nested = _nested(task)
    prompt, source = task.prompt, task.source
    for name, column in nested.items():
        prompt, source = prompt.replace(f"{{{name}}}", f"{{{column}}}"), column if source == name else source
    return _template().render(
        task=task.model_copy(update={"prompt": prompt, "source": source}),
        nested={column: name.split(".") for name, column in nested.items()},
        weights=weights,
        labels=labels,
        base=BASE,
        dtype=DTYPES.get(precision),
        is_jinja=any(sign in task.prompt for sign in JINJA_SIGNS),
        special_tokens=SPECIAL_TOKENS,
    )


def _nested(task: Task) -> dict[str, str]:
    """Map dotted names of the prompt to those of the script, where a dot would ask for an attribute."""
    if any(sign in task.prompt for sign in JINJA_SIGNS):
        return {}
    return {name: name.replace(".", "_") for name in task.prompt_columns if "." in name}


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined, keep_trailing_newline=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["python"] = repr
    return environment.from_string(files(__package__).joinpath("predict.py.j2").read_text(encoding="utf-8"))
