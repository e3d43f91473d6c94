"""VeRA (Kopiczko et al., arXiv 2310.11454): trained vectors between random matrices that layers share."""

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from spaces import common

SPACE: dict[str, BaseDistribution] = {
    # About ten times LoRA's, as the paper's are: few numbers, each of which moves a whole row.
    "learning_rate": FloatDistribution(1e-3, 5e-2, log=True),
    **common.SPACE,
    # peft's default is 256, the paper goes to 1024: a rank costs one number a layer.
    "rank": IntDistribution(64, 1024, log=True),
    # Where the vector of the ranks begins: peft's default is 0.1, and small values do better (table 6).
    "initial_scale": CategoricalDistribution((0.01, 0.1, 1.0)),
    # None in the paper; as for LoRA.
    "dropout": FloatDistribution(0.0, 0.1),
    # By role; LoRA's reasons hold for every update of a linear layer.
    "targets": CategoricalDistribution(("attention", "all-linear")),
}

DEFAULT: dict[str, str | int | float] = {
    "learning_rate": 1e-3,
    **common.DEFAULT,
    "rank": 256,
    "initial_scale": 0.1,
    "dropout": 0.0,
    "targets": "all-linear",
}
