"""Statistics of methods and of searches: arrays in, plain values out; numpy and scipy only.

Scores are arrays of shape (seeds, documents), in points. Methods are compared on the same documents.
"""

from search.statistics.comparison import Comparison, Scores
from search.statistics.corpus import Corpus
from search.statistics.margin import shortfall_p_values
from search.statistics.multiplicity import MOST_PARTITIONED, all_pairs, holm, letters
from search.statistics.pareto import front_ranks, hypervolume, on_front
from search.statistics.trials import expected_best, rank_correlation, running_best, sd_of_best, share_interval

__all__ = [
    "MOST_PARTITIONED",
    "Comparison",
    "Corpus",
    "Scores",
    "all_pairs",
    "expected_best",
    "front_ranks",
    "holm",
    "hypervolume",
    "letters",
    "on_front",
    "rank_correlation",
    "running_best",
    "sd_of_best",
    "share_interval",
    "shortfall_p_values",
]
