"""rsLoRA (Kalajdzievski, arXiv 2312.03732): LoRA scaled by the root of the rank, so that high ranks learn."""

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from spaces import common, lora

SPACE: dict[str, BaseDistribution] = {
    # 1e-4 in peft's method_comparison; lower than LoRA's, for at rank 64 and alpha 64 the update is scaled by
    # 8, where LoRA has 1 to 4.
    "learning_rate": FloatDistribution(5e-5, 2e-3, log=True),
    **common.SPACE,
    # It is for high ranks, at which LoRA's own scale learns too little; peft's method_comparison has 64.
    "rank": IntDistribution(8, 128, log=True),
    # The update is scaled by alpha / sqrt(rank). peft's default is 8, its method_comparison has 64.
    "alpha": CategoricalDistribution((8, 16, 32, 64)),
    "dropout": lora.SPACE["dropout"],
    "targets": lora.SPACE["targets"],
}

DEFAULT: dict[str, str | int | float] = {
    "learning_rate": 1e-4,
    **common.DEFAULT,
    "rank": 64,
    "alpha": 64,
    "dropout": 0.05,
    "targets": "all-linear",
}
