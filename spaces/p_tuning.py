"""P-tuning (Liu et al., arXiv 2103.10385): soft tokens before the input, made by a trained network."""

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from spaces import common

SPACE: dict[str, BaseDistribution] = {
    # The network takes small steps, unlike bare soft tokens: peft's method_comparison has 1e-4 and 5e-4.
    "learning_rate": FloatDistribution(1e-4, 1e-2, log=True),
    **common.SPACE,
    # peft's method_comparison has 10 and 20; few soft prompts gain past 20 (arXiv 2104.08691).
    "virtual_tokens": IntDistribution(10, 100),
    # Width of the network, two layers of rectified linear units.
    "hidden": CategoricalDistribution((128, 256, 512)),
}

DEFAULT: dict[str, str | int | float] = {
    "learning_rate": 1e-3,
    **common.DEFAULT,
    "virtual_tokens": 20,
    "hidden": 128,
}
