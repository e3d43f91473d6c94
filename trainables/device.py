"""The device that a process trains on, chosen in one place: all else goes by it."""

import torch


def own_device() -> torch.device:
    """The GPU that this process may use, with the index that torch.cuda's functions ask for; else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda", torch.cuda.current_device())
    return torch.device("cpu")
