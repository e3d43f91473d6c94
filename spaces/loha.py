"""LoHa (FedPara, Hyeon-Woo et al., arXiv 2108.06098): the product of two low-rank updates."""

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from spaces import common

NEEDS = "torch.nn.Linear layers"

SPACE: dict[str, BaseDistribution] = {
    # 1e-4 in peft's method_comparison; its update is a product, which begins slower than LoRA's.
    "learning_rate": FloatDistribution(1e-4, 1e-2, log=True),
    **common.SPACE,
    # Twice LoRA's parameters at the same rank, whose square bounds the update's.
    "rank": IntDistribution(4, 32, log=True),
    # alpha / rank; peft's default is 1.
    "alpha_ratio": CategoricalDistribution((1, 2, 4)),
    # Of ranks, not of inputs.
    "dropout": FloatDistribution(0.0, 0.1),
    # By role; LoRA's reasons hold for every update of a linear layer.
    "targets": CategoricalDistribution(("attention", "all-linear")),
}

DEFAULT: dict[str, str | int | float] = {
    "learning_rate": 1e-4,
    **common.DEFAULT,
    "rank": 8,
    "alpha_ratio": 1,
    "dropout": 0.0,
    "targets": "all-linear",
}
