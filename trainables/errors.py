"""Errors with a meaning beyond their module: what a user can mend, and what another process may do better."""


class InputError(ValueError):
    """A model, a data set or a setting that cannot be used as given; the message says how to mend it.

    The command line prints it without a traceback and exits with code 2.
    """


class NotApplicable(InputError):
    """A method that makes no sense for this model: what it would train is not there, or is something else."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"not applicable: {reason}")


class GpuNotSeen(InputError):
    """A trial was given a GPU that torch does not see: another machine's torch may."""


class DeviceFailed(RuntimeError):
    """A CUDA error after which nothing on the device works in this process any more: a new one may go on."""
