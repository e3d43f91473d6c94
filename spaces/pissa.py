"""PiSSA (Meng et al., arXiv 2404.02948): LoRA begun at the principal singular values of the weights."""

from optuna.distributions import BaseDistribution, FloatDistribution

from spaces import common, lora

SPACE: dict[str, BaseDistribution] = {
    # 2e-5 for the paper's 7B models; as with LoRA, small ones take more. No dropout (peft's guide to
    # initialisation) and no scale: what is trained are the weight's own largest components.
    "learning_rate": FloatDistribution(2e-5, 2e-3, log=True),
    **common.SPACE,
    "rank": lora.SPACE["rank"],
    "targets": lora.SPACE["targets"],
}

DEFAULT: dict[str, str | int | float] = {
    "learning_rate": 2e-4,
    **common.DEFAULT,
    "rank": 16,
    "targets": "all-linear",
}
