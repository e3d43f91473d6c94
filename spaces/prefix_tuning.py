"""Prefix tuning (Li and Liang, arXiv 2101.00190): trained keys and values before those of every layer."""

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from spaces import common

SPACE: dict[str, BaseDistribution] = {
    # t-few (arXiv 2205.05638) and peft's T5 example have 1e-2, its method_comparison 1e-3 and 5e-3; the
    # paper's are lower, through the network.
    "learning_rate": FloatDistribution(1e-3, 3e-2, log=True),
    **common.SPACE,
    # The paper: 10 for tables, 200 for summaries of news.
    "virtual_tokens": IntDistribution(10, 100),
    # Whether a network makes the prefix: the paper finds training unstable without.
    "projection": CategoricalDistribution(("none", "mlp")),
}

DEFAULT: dict[str, str | int | float] = {
    "learning_rate": 1e-2,
    **common.DEFAULT,
    "virtual_tokens": 20,
    "projection": "mlp",
}
