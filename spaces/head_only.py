"""Linear probing (Alain and Bengio, arXiv 1610.01644): only the output head is trained."""

from optuna.distributions import BaseDistribution, FloatDistribution

from spaces import common

NEEDS = "an output head of its own"

SPACE: dict[str, BaseDistribution] = {
    # A linear model on fixed features takes larger steps than the layers below it (arXiv 2202.10054).
    "learning_rate": FloatDistribution(1e-4, 1e-2, log=True),
    **common.SPACE,
}

DEFAULT: dict[str, str | int | float] = {
    "learning_rate": 1e-3,
    **common.DEFAULT,
}
