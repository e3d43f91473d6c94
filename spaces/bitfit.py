"""BitFit (Ben Zaken et al., arXiv 2106.10199): only the biases are trained."""

from optuna.distributions import BaseDistribution, FloatDistribution

from spaces import common

NEEDS = "biases"

SPACE: dict[str, BaseDistribution] = {
    # t-few (arXiv 2205.05638) has 3e-4 with Adafactor. Few numbers want large steps: at 1e-4 short budgets
    # teach nothing.
    "learning_rate": FloatDistribution(3e-4, 1e-2, log=True),
    **common.SPACE,
}

DEFAULT: dict[str, str | int | float] = {
    "learning_rate": 1e-3,
    **common.DEFAULT,
}
