"""Any other text, scored by the metric that the task names."""

from trainables.task_types._task_type import TaskType

TASK_TYPE = TaskType(
    metrics=(),
    score=None,
    prompt="{<source>}\n\n",
    hub_task="text-generation",
)
