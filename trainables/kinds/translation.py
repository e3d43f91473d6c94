"""The same text in another language."""

from trainables.kinds._kind import Kind

KIND = Kind(
    metrics=("bleu", "chrf"),
    score="bleu",
    prompt="Translate from <source> to <target>.\n\n<source>: {<source>}\n<target>: ",
    hub_task="translation",
)
