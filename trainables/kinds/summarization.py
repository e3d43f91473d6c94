"""A shorter text that says what matters."""

from trainables.kinds._kind import Kind

KIND = Kind(
    metrics=("rouge",),
    score="rougeL",
    prompt="Read the following.\n\n{<source>}\n\nWrite the <target>: ",
    hub_task="summarization",
)
