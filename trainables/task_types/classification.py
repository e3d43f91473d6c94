"""One label word of a fixed set: the most likely one, whatever else the model would rather write.

Scoring the label words is what few-shot evaluations do (Brown et al., arXiv 2005.14165, section 2.4; T-Few,
arXiv 2205.05638): an output is always one of the labels, so that no parsing decides the score, and an
untrained model is measured by what it knows and not by how it phrases. Each word counts with its end
token, so that no label profits from being the beginning of another.
"""

from trainables.task_types._task_type import TaskType

TASK_TYPE = TaskType(
    metrics=("labels",),
    score="accuracy",
    prompt="Text: {<source>}\n\nThe <target> is: ",
    hub_task="text-classification",
    picks_labels=True,
)
