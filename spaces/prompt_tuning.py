"""Prompt tuning (Lester et al., arXiv 2104.08691): trained embeddings before the input of a frozen model."""

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from spaces import common

SPACE: dict[str, BaseDistribution] = {
    # The paper and t-few (arXiv 2205.05638) use 0.3; peft's examples run from 3e-2 to 1 with AdamW. The
    # lower end serves causal models, whose embeddings are far smaller than T5's.
    "learning_rate": FloatDistribution(1e-3, 1.0, log=True),
    **common.SPACE,
    # In place of the common range: AdamW shrinks the weights by learning rate times decay at each step, and
    # with these learning rates 0.1 would erase the prompt. The paper uses 1e-5.
    "weight_decay": FloatDistribution(0.0, 1e-3),
    # t-few uses 10 and 100; the paper (figure 3a) finds little gain past 20 and loss past 100.
    "virtual_tokens": IntDistribution(10, 100),
    # Embeddings of sampled vocabulary, or of a text that states the task; random ones do worse (figure 3b).
    "init": CategoricalDistribution(("vocab", "text")),
}

DEFAULT: dict[str, str | int | float] = {
    "learning_rate": 0.3,
    **common.DEFAULT,
    "weight_decay": 1e-5,
    "virtual_tokens": 20,
    "init": "vocab",
}
