"""What tells one type of task from another."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TaskType:
    """How a task's outputs are made and scored."""

    metrics: tuple[str, ...]
    """Files of `trainables.metrics`, all recorded; empty: that of the score which the task names."""
    score: str | None
    """The score that trials are compared by unless the task names one; None: it must."""
    prompt: str
    """What `tuneoff init` proposes, `<source>` and `<target>` standing for the columns' names."""
    hub_task: str
    """As model cards on the hub name it (https://huggingface.co/tasks)."""
    may_copy: bool = False
    """Whether a part of the source is an answer, so that copies are scored beside the untrained model."""
    picks_labels: bool = False
    """The output is the most likely label word, not generated text."""
