"""Optuna's tree-structured Parzen estimator (Bergstra et al., 2011; multivariate: Falkner et al., 2018)."""

from optuna.samplers import BaseSampler, TPESampler

from search.samplers._sampler import Next, Sampler

STARTUP_TRIALS = 5
"""Trials of a method that are drawn at random before anything is modelled, the default among them."""


class _TPE(Sampler):
    summary = "TPE"
    papers = ("bergstra2011tpe",)
    independent_trials = STARTUP_TRIALS

    def optuna_sampler(self, coming: Next) -> BaseSampler:
        """With a constant liar, because trials run side by side."""
        return TPESampler(
            n_startup_trials=STARTUP_TRIALS, multivariate=True, constant_liar=True, seed=coming.seed
        )


SAMPLER = _TPE()
