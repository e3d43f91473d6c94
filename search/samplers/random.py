"""Random search (Bergstra & Bengio, 2012): every trial is drawn by itself."""

import math

from search.samplers._sampler import Sampler


class _Random(Sampler):
    summary = "random search"
    independent_trials = math.inf


SAMPLER = _Random()
