"""FourierFT (Gao et al., arXiv 2405.03003): updates with a sparse spectrum of trained frequencies."""

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from spaces import common

SPACE: dict[str, BaseDistribution] = {
    # The scale of the update follows the model's size (see the method), so that these hold for all: the
    # paper's GLUE runs have 1e-2 and more. The scale itself is not searched: AdamW's steps are proportional
    # to it, as they are to the learning rate.
    "learning_rate": FloatDistribution(1e-3, 1e-1, log=True),
    **common.SPACE,
    # A layer: 1000 in the paper and in peft; its method_comparison has 5000 too.
    "frequencies": IntDistribution(100, 3000, log=True),
    # By role; LoRA's reasons hold for every update of a linear layer.
    "targets": CategoricalDistribution(("attention", "all-linear")),
}

DEFAULT: dict[str, str | int | float] = {
    "learning_rate": 1e-2,
    **common.DEFAULT,
    "frequencies": 1000,
    "targets": "all-linear",
}
