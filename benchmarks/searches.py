"""The searches that are compared: settings of tuneoff's own, and what other libraries propose."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from optuna.samplers import BaseSampler, GPSampler

from search.records.seeds import derived_seed
from search.samplers import Next
from search.samplers.gp import STARTUP_TRIALS, Model
from search.studies.study import MethodStudy


@dataclass(frozen=True)
class Compared:
    """A search under comparison."""

    settings: dict[str, Any] = field(default_factory=dict)
    """Keys of the sweep file's `search`."""
    study: type[MethodStudy] = MethodStudy
    """What proposes, and learns."""


class OptunasProcess(MethodStudy):
    """Optuna's own Gaussian process, which needs torch and learns from completed trials alone."""

    def sampler_of(self, number: int) -> BaseSampler:
        seed = derived_seed(self.seed, self.method, "propose", number)
        return GPSampler(seed=seed, n_startup_trials=STARTUP_TRIALS)


class ScikitLearnsProcess(MethodStudy):
    """tuneoff's sampler with the process of scikit-learn: one kernel over hyperparameters and budget."""

    def sampler_of(self, number: int) -> BaseSampler:
        seed = derived_seed(self.seed, self.method, "propose", number)
        coming = Next(seed, number, self.budgets[-1])
        return _Regressor(coming) if number >= STARTUP_TRIALS else super().sampler_of(number)


class _Regressor(Model):
    def fit(self, points: np.ndarray, budgets: np.ndarray, scores: np.ndarray, groups: np.ndarray) -> Any:
        return _Fitted(np.column_stack([points, budgets]), scores)


class _Fitted:
    def __init__(self, rows: np.ndarray, scores: np.ndarray) -> None:
        import warnings

        from sklearn.gaussian_process import GaussianProcessRegressor
        from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

        lengths = np.ones(rows.shape[1])
        kernel = ConstantKernel(1.0) * Matern(lengths, (0.05, 50.0), nu=2.5) + WhiteKernel(0.1, (1e-4, 1.0))
        self.model = GaussianProcessRegressor(kernel, random_state=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it says that lengths lie on their bounds
            self.model.fit(rows, scores)
        self.rows, self.scores = rows, scores

    def at_full_budget(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.model.predict(np.column_stack([points, np.zeros(len(points))]), return_std=True)

    def believe(self, points: np.ndarray) -> None:
        expected, _ = self.at_full_budget(points)
        self.rows = np.vstack([self.rows, np.column_stack([points, np.zeros(len(points))])])
        self.scores = np.append(self.scores, expected)
        self.model.set_params(kernel=self.model.kernel_, optimizer=None)
        self.model.fit(self.rows, self.scores)


SEARCHES = {
    "tuneoff": Compared(),
    "GP + ASHA": Compared({"sampler": "gp"}),
    "GP + promote": Compared({"sampler": "gp", "scheduler": "promote"}),
    "GP": Compared({"sampler": "gp", "scheduler": "none"}),
    "TPE + ASHA": Compared({"sampler": "tpe"}),
    "TPE + promote": Compared({"sampler": "tpe", "scheduler": "promote"}),
    "TPE + promote by score": Compared({"scheduler": "promote", "promote_by": "score"}),
    "random + ASHA": Compared({"sampler": "random"}),
    "random": Compared({"sampler": "random", "scheduler": "none"}),
    "GPSampler": Compared({"scheduler": "none"}, OptunasProcess),
    "scikit-learn + ASHA": Compared(study=ScikitLearnsProcess),
}
