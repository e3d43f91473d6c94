"""A short answer, compared word by word with gold answers: extractive questions as in SQuAD."""

from trainables.task_types._task_type import TaskType

TASK_TYPE = TaskType(
    metrics=("squad",),
    score="f1",
    prompt="Context: {<source>}\n\nQuestion: {question}\n\nAnswer: ",
    hub_task="question-answering",
)
