"""Hyperparameters that all methods share; each method adds its own learning rate.

The defaults are those of transformers' `TrainingArguments`: what a fine-tuning script does untouched.
"""

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution

SPACE: dict[str, BaseDistribution] = {
    # Examples per optimiser step. FLAN-T5 and LoRA recipes for summaries use 8 to 32; budgets are counted
    # in examples, so a small batch buys more steps, not more data.
    "batch_size": CategoricalDistribution((8, 16, 32)),
    # Share of the planned steps. LoRA (arXiv 2106.09685) warms up for 6 % on GLUE; 10 % is rarely passed.
    "warmup_ratio": FloatDistribution(0.0, 0.1),
    # Decoupled (AdamW, arXiv 1711.05101): 0 in the T5 recipes, 0.01 to 0.1 in BERT's and GPT's.
    "weight_decay": FloatDistribution(0.0, 0.1),
    # Over the full budget, to zero. Linear: T5 and LoRA scripts. Cosine: arXiv 1608.03983, most LLM recipes.
    "schedule": CategoricalDistribution(("linear", "cosine")),
}

DEFAULT: dict[str, str | int | float] = {
    "batch_size": 8,
    "warmup_ratio": 0.0,
    "weight_decay": 0.0,
    "schedule": "linear",
}
