"""What proposes hyperparameters, a function of the seed and of the trials before."""

from search.samplers.proposals import STARTUP_TRIALS, guided_or_random, sobol_point

__all__ = ["STARTUP_TRIALS", "guided_or_random", "sobol_point"]
