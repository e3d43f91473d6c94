"""A shorter text that says what matters."""

from trainables.task_types._task_type import TaskType

TASK_TYPE = TaskType(
    metrics=("rouge",),
    score="rougeL",
    prompt="Read the following.\n\n{<source>}\n\nWrite the <target>: ",
    hub_task="summarization",
    may_copy=True,
)
