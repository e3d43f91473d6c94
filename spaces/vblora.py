"""VB-LoRA (Li et al., arXiv 2405.15179): low-rank updates mixed from one bank of vectors for all layers."""

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from spaces import common

SPACE: dict[str, BaseDistribution] = {
    # peft's example has 1e-2 for the mixture and 1e-3 for the bank; here they are one, as in peft's
    # method_comparison, which has 5e-4.
    "learning_rate": FloatDistribution(5e-4, 3e-2, log=True),
    **common.SPACE,
    # peft's default is 4: a rank costs one choice a piece of each layer.
    "rank": IntDistribution(2, 16, log=True),
    # peft's default is 256, more for larger models; each costs its own length, and a number a place.
    "vectors": IntDistribution(64, 1024, log=True),
    # None in the paper; as for LoRA.
    "dropout": FloatDistribution(0.0, 0.1),
    # By role; LoRA's reasons hold for every update of a linear layer.
    "targets": CategoricalDistribution(("attention", "all-linear")),
}

DEFAULT: dict[str, str | int | float] = {
    "learning_rate": 5e-3,
    **common.DEFAULT,
    "rank": 4,
    "vectors": 256,
    "dropout": 0.0,
    "targets": "all-linear",
}
