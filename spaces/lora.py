"""LoRA (Hu et al., arXiv 2106.09685): a low-rank update beside frozen weights."""

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from spaces import common

SPACE: dict[str, BaseDistribution] = {
    # Good values lie in 1e-4 to 3e-3, about ten times those of full fine-tuning ("LoRA Without Regret",
    # Thinking Machines, 2025; t-few, arXiv 2205.05638, has 3e-3 with Adafactor); the upper end leaves room
    # for small models.
    "learning_rate": FloatDistribution(1e-4, 5e-3, log=True),
    **common.SPACE,
    # The paper's study (section 7.2) runs from 1 to 64 and finds 4 to 8 enough; recipes use 4 to 32.
    "rank": IntDistribution(4, 64, log=True),
    # alpha / rank, so that the rank can vary without changing the size of the update. peft's
    # default is 1, most recipes use 2, some 4.
    "alpha_ratio": CategoricalDistribution((1, 2, 4)),
    # QLoRA (arXiv 2305.14314): 0.1 helps small models, large ones not.
    "dropout": FloatDistribution(0.0, 0.1),
    # By role, resolved from the model's own modules. All linear layers beat attention alone at equal
    # parameters ("LoRA Without Regret"; QLoRA, figure 2); the paper used attention.
    "targets": CategoricalDistribution(("attention", "all-linear")),
}

DEFAULT: dict[str, str | int | float] = {
    "learning_rate": 5e-4,
    **common.DEFAULT,
    "rank": 8,
    "alpha_ratio": 2,
    "dropout": 0.05,
    "targets": "all-linear",
}
