"""What records say of the GPU that a trial ran on. Plain data without torch; `trainables.device` finds it."""

from pydantic import BaseModel, ConfigDict


class Accelerator(BaseModel):
    """A GPU with the versions that may change figures, and who else uses it; None: not known, or not had."""

    model_config = ConfigDict(extra="allow")

    name: str
    """As torch has it; that of a MIG instance says its size."""
    driver: str | None = None
    cuda: str | None = None
    """The toolkit that torch was built for; on AMD that of ROCm."""
    cudnn: str | None = None
    """On AMD the version of MIOpen."""
    is_mig: bool | None = None
    """Whether it is a part of a GPU, with memory and units of its own."""
    is_mps: bool | None = None
    """Whether processes compute on it through NVIDIA's multi-process service."""
    processes: int | None = None
    """How many computed on it just then, this one among them."""

    @property
    def versions(self) -> str:
        """The name, and what of the versions is known: `NVIDIA L4, driver 570.86.15, CUDA 12.8`."""
        known = {"driver": self.driver, "CUDA": self.cuda, "cuDNN": self.cudnn}
        return ", ".join([self.name, *(f"{part} {version}" for part, version in known.items() if version)])

    @property
    def sharing(self) -> list[str]:
        """How it is shared, as far as is known."""
        ways = {
            "on a MIG instance": self.is_mig,
            "through MPS": self.is_mps,
            "beside other processes": (self.processes or 1) > 1,
        }
        return [way for way, holds in ways.items() if holds]
