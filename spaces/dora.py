"""DoRA (Liu et al., arXiv 2402.09353): LoRA for the direction of weights, their length learned beside it."""

from optuna.distributions import BaseDistribution

from spaces import lora

# It trains what LoRA trains, and a length for each weight: LoRA's ranges, in the paper too.
SPACE: dict[str, BaseDistribution] = {**lora.SPACE}

DEFAULT: dict[str, str | int | float] = {**lora.DEFAULT}
