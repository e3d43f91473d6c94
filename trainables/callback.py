"""What a method does at each step besides following the gradient of the loss; most methods do nothing."""

from collections.abc import Mapping

from torch import Tensor


class Callback:
    """Called at each planned step of a trial; its tensors are saved in checkpoints."""

    def regularise(self) -> None:
        """Add the gradient of a penalty that is not part of the recorded loss; called once a step."""

    def after_step(self, step: int) -> None:
        """Run after the update of step `step`, from 0: weights are new, the step's gradients still there."""

    def tensors(self) -> dict[str, Tensor]:
        """Return the state that `load_tensors` needs to continue bit for bit."""
        return {}

    def load_tensors(self, tensors: Mapping[str, Tensor]) -> None:
        """Restore a state returned by `tensors`."""
