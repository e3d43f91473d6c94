"""MiSS (Kang and Yin, arXiv 2409.15371): one trained matrix a layer, shared by the shards of its inputs."""

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from spaces import common

NEEDS = "torch.nn.Linear layers"

SPACE: dict[str, BaseDistribution] = {
    # 1e-4 in peft's method_comparison; small models take more, as with LoRA.
    "learning_rate": FloatDistribution(5e-5, 5e-3, log=True),
    **common.SPACE,
    # Half of LoRA's parameters at the same rank; peft's default is 64.
    "rank": IntDistribution(8, 128, log=True),
    # As for LoRA.
    "dropout": FloatDistribution(0.0, 0.1),
    # By role; LoRA's reasons hold for every update of a linear layer.
    "targets": CategoricalDistribution(("attention", "all-linear")),
}

DEFAULT: dict[str, str | int | float] = {
    "learning_rate": 5e-4,
    **common.DEFAULT,
    "rank": 64,
    "dropout": 0.0,
    "targets": "all-linear",
}
