"""What a trial spends: seconds, memory, arithmetic, energy, and the time it takes to write an answer."""

from trainables.cost.memory import release_memory
from trainables.cost.meter import Meter

__all__ = ["Meter", "release_memory"]
