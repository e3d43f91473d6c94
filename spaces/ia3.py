"""(IA)³ (Liu et al., arXiv 2205.05638): trained scales on keys, values and feed-forward activations."""

from optuna.distributions import BaseDistribution, FloatDistribution

from spaces import common

SPACE: dict[str, BaseDistribution] = {
    # t-few's recipe is 3e-3 with Adafactor, peft's method_comparison 5e-3.
    "learning_rate": FloatDistribution(1e-3, 3e-2, log=True),
    **common.SPACE,
}

DEFAULT: dict[str, str | int | float] = {
    "learning_rate": 5e-3,
    **common.DEFAULT,
}
