"""RandLoRA (Albert et al., arXiv 2502.00987): a full-rank sum of random matrices with trained scales."""

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from spaces import common

SPACE: dict[str, BaseDistribution] = {
    # 1e-4 in peft's method_comparison; peft warns that its scale makes high rates unstable. The upper end
    # leaves room for small models.
    "learning_rate": FloatDistribution(1e-4, 5e-3, log=True),
    **common.SPACE,
    # Of the widest layer, whose width they share: peft's rank of 32 is 16 bases at a width of 512. Each costs
    # a vector a layer, where a rank of LoRA costs two.
    "bases": IntDistribution(4, 64, log=True),
    # As for LoRA.
    "dropout": FloatDistribution(0.0, 0.1),
    # By role; LoRA's reasons hold for every update of a linear layer.
    "targets": CategoricalDistribution(("attention", "all-linear")),
}

DEFAULT: dict[str, str | int | float] = {
    "learning_rate": 1e-3,
    **common.DEFAULT,
    "bases": 16,
    "dropout": 0.0,
    "targets": "all-linear",
}
