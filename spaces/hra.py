"""HRA (Yuan et al., arXiv 2405.17484): a chain of trained reflections before each frozen layer."""

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
)

from spaces import common

NEEDS = "torch.nn.Linear layers"

SPACE: dict[str, BaseDistribution] = {
    # 1e-4 in peft's method_comparison; small models take more, as with LoRA.
    "learning_rate": FloatDistribution(1e-4, 1e-2, log=True),
    **common.SPACE,
    # Even, for they begin in pairs. peft's default is 8, its method_comparison has 32; each one takes its
    # turn, so that many are slow.
    "reflections": CategoricalDistribution((4, 8, 16, 32)),
    # By role; LoRA's reasons hold for every update of a linear layer.
    "targets": CategoricalDistribution(("attention", "all-linear")),
}

DEFAULT: dict[str, str | int | float] = {
    "learning_rate": 1e-3,
    **common.DEFAULT,
    "reflections": 8,
    "targets": "all-linear",
}
