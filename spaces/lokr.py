"""LoKr (KronA, Edalati et al., arXiv 2212.10650): Kronecker products as updates."""

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from spaces import common

NEEDS = "torch.nn.Linear layers"

SPACE: dict[str, BaseDistribution] = {
    # 1e-4 and 3e-3 in peft's method_comparison.
    "learning_rate": FloatDistribution(1e-4, 1e-2, log=True),
    **common.SPACE,
    # Of the larger factor; from a half of its width on it is a full matrix (peft).
    "rank": IntDistribution(4, 64, log=True),
    # alpha / rank, as for LoHa.
    "alpha_ratio": CategoricalDistribution((1, 2, 4)),
    # Of ranks, not of inputs.
    "dropout": FloatDistribution(0.0, 0.1),
    # By role; LoRA's reasons hold for every update of a linear layer.
    "targets": CategoricalDistribution(("attention", "all-linear")),
}

DEFAULT: dict[str, str | int | float] = {
    "learning_rate": 3e-3,
    **common.DEFAULT,
    "rank": 16,
    "alpha_ratio": 1,
    "dropout": 0.0,
    "targets": "all-linear",
}
