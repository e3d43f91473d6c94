"""TensorBoard for every sweep; MLflow and Weights & Biases where it names them under `tracking`."""

from search.trackers.tensorboard import TensorBoardLogger
from search.trackers.tracking import check_trackers, tracked

__all__ = ["TensorBoardLogger", "check_trackers", "tracked"]
