"""SHiRA (Bhardwaj et al., arXiv 2406.13175): a sparse choice of the weights themselves is trained."""

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from spaces import common

NEEDS = "torch.nn.Linear layers"

SPACE: dict[str, BaseDistribution] = {
    # 3e-4 in peft's method_comparison; small models take more, as with LoRA.
    "learning_rate": FloatDistribution(1e-4, 1e-2, log=True),
    **common.SPACE,
    # Not the update's rank, which is high: as many weights as LoRA has at this rank. peft's default is 32.
    "rank": IntDistribution(4, 64, log=True),
    # By role; LoRA's reasons hold for every update of a linear layer.
    "targets": CategoricalDistribution(("attention", "all-linear")),
}

DEFAULT: dict[str, str | int | float] = {
    "learning_rate": 1e-3,
    **common.DEFAULT,
    "rank": 32,
    "targets": "all-linear",
}
