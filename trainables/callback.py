"""What a method does at each step beside following the gradient of the loss; most methods do nothing."""

from collections.abc import Mapping

from torch import Tensor


class Callback:
    """Follows a trial over its planned steps; its tensors are part of a checkpoint."""

    def regularise(self) -> None:
        """Add the gradient of a penalty that the recorded loss does not hold, once a step."""

    def after_step(self, step: int) -> None:
        """Look at step number `step`, from 0: the weights are new, and the step's gradients still there."""

    def tensors(self) -> dict[str, Tensor]:
        """What `load_tensors` needs to go on bit for bit."""
        return {}

    def load_tensors(self, tensors: Mapping[str, Tensor]) -> None:
        """Take up a state that `tensors` gave."""
