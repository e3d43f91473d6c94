"""Full fine-tuning: every weight of the model is trained."""

from optuna.distributions import BaseDistribution, FloatDistribution

from spaces import common

SPACE: dict[str, BaseDistribution] = {
    # Model cards of T5 and BART summarisers: around 5e-5 with AdamW; t-few (arXiv 2205.05638): 3e-4 with
    # Adafactor. Two decades around both.
    "learning_rate": FloatDistribution(1e-5, 1e-3, log=True),
    **common.SPACE,
}

DEFAULT: dict[str, str | int | float] = {"learning_rate": 5e-5, **common.DEFAULT}
