"""OFT (Qiu et al., arXiv 2306.07280): a block-diagonal rotation before each frozen layer."""

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
)

from spaces import common

NEEDS = "torch.nn.Linear layers"

SPACE: dict[str, BaseDistribution] = {
    # 1e-4 in peft's method_comparison; small models take more, as with LoRA.
    "learning_rate": FloatDistribution(5e-5, 5e-3, log=True),
    **common.SPACE,
    # A block of b has b (b - 1) / 2 parameters. 32 is peft's default; widths of transformers are multiples
    # of each.
    "block_size": CategoricalDistribution((8, 16, 32)),
    # Of whole blocks (peft).
    "dropout": FloatDistribution(0.0, 0.1),
    # By role; LoRA's reasons hold for every update of a linear layer.
    "targets": CategoricalDistribution(("attention", "all-linear")),
}

DEFAULT: dict[str, str | int | float] = {
    "learning_rate": 1e-3,
    **common.DEFAULT,
    "block_size": 32,
    "dropout": 0.0,
    "targets": "all-linear",
}
