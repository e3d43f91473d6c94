"""A short answer, compared word by word with gold answers: extractive questions as in SQuAD."""

from trainables.kinds._kind import Kind

KIND = Kind(
    metrics=("squad",),
    score="f1",
    prompt="Context: {<source>}\n\nQuestion: {question}\n\nAnswer: ",
    hub_task="question-answering",
)
