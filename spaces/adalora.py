"""AdaLoRA (Zhang et al., arXiv 2303.10512): LoRA whose ranks move to the layers that use them."""

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from spaces import common, lora

SPACE: dict[str, BaseDistribution] = {
    # 5e-4 (summaries of XSum, MNLI) to 2.2e-3 (STS-B) in the authors' scripts, over thousands of steps: its
    # update is a product of three factors, the middle one zero at first, and begins far slower than LoRA's.
    # Short budgets take more.
    "learning_rate": FloatDistribution(2e-4, 1e-2, log=True),
    **common.SPACE,
    # The mean rank that is left in the end; training begins with 1.5 times as many: peft's and
    # the paper's 12 -> 8.
    "target_rank": IntDistribution(4, 32, log=True),
    # alpha / target_rank; the authors have 32 at 8 on XSum.
    "alpha_ratio": lora.SPACE["alpha_ratio"],
    # Weight of the penalty that keeps singular vectors orthogonal: the authors' scripts have 0.1 and
    # 0.3, peft's default is 0.5.
    "orthogonality": CategoricalDistribution((0.1, 0.3, 0.5)),
    # Shares of the planned steps before ranks are taken away, and after. The authors' scripts: 0.08 and 0.3
    # on XSum, 0.09 and 0.6 on MNLI, 0.18 and 0.45 on STS-B.
    "initial_phase": FloatDistribution(0.05, 0.2),
    "final_phase": FloatDistribution(0.15, 0.6),
    "dropout": lora.SPACE["dropout"],
    "targets": lora.SPACE["targets"],
}

DEFAULT: dict[str, str | int | float] = {
    "learning_rate": 5e-4,
    **common.DEFAULT,
    "target_rank": 8,
    "alpha_ratio": 4,
    "orthogonality": 0.1,
    "initial_phase": 0.1,
    "final_phase": 0.3,
    "dropout": 0.05,
    "targets": "all-linear",
}
