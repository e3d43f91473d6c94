"""The same text in another language."""

from trainables.task_types._task_type import TaskType

TASK_TYPE = TaskType(
    metrics=("bleu", "chrf"),
    score="bleu",
    prompt="Translate from <source> to <target>.\n\n<source>: {<source>}\n<target>: ",
    hub_task="translation",
)
