"""Top layers (Lee et al., arXiv 1911.03090): the last blocks of the decoder are trained."""

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
)

from spaces import common

SPACE: dict[str, BaseDistribution] = {
    # As for full fine-tuning, of which it is a part.
    "learning_rate": FloatDistribution(1e-5, 1e-3, log=True),
    **common.SPACE,
    # Of the blocks, rounded up. The paper: a fourth of the layers reaches 90 % of the original quality.
    "share": CategoricalDistribution((0.125, 0.25, 0.5)),
}

DEFAULT: dict[str, str | int | float] = {
    "learning_rate": 1e-4,
    **common.DEFAULT,
    "share": 0.25,
}
