"""Any other text, scored by the metric that the task names."""

from trainables.kinds._kind import Kind

KIND = Kind(
    metrics=(),
    score=None,
    prompt="{<source>}\n\n",
    hub_task="text-generation",
)
