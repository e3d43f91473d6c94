"""The part of a sweep file that says what a trial may use, and what becomes of one that fails."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from search.config.settings import Count, Settings


class Resources(Settings):
    """What one trial may use, and how many run at a time."""

    cpus_per_trial: Count = Field(1, description="CPU cores, and torch threads, of a trial.")
    gpus_per_trial: Annotated[float, Field(ge=0)] | Literal["auto"] = Field(
        "auto",
        description="GPUs of a trial, 1 at most, a fraction to share one; auto: in the search as many share "
        "one as the memory allows that was measured before, in the final each has a whole one; none without "
        "a GPU.",
    )
    accelerator_type: str | None = Field(
        None, min_length=1, description="Only on nodes with such a GPU, as Ray names it: L4, A10G, A100."
    )
    concurrent_trials: Count | Literal["auto"] = Field(
        "auto",
        description="Trials at a time; auto: as many as the resources hold. On a cluster that grows itself "
        "the number that it grows for.",
    )
    max_failures: int = Field(
        2,
        ge=0,
        description="How often a trial that fails is restarted from its checkpoint before it counts as "
        "failed; machines and GPUs that are lost do not count.",
    )
    fail_fast: bool = Field(
        False,
        description="End the sweep, with exit code 1, as soon as a trial counts as failed; false: go on with "
        "the others.",
    )
    trial_timeout: float | None = Field(
        None,
        gt=0,
        description="Seconds that a trial may take from one rung to the next, loading included, before its "
        "worker is killed and it counts as failed; null: no limit.",
    )

    @field_validator("gpus_per_trial")
    @classmethod
    def _is_one_gpu_at_most(cls, gpus: float | str) -> float | str:
        if isinstance(gpus, float) and gpus > 1:
            raise ValueError(
                f"must be at most 1, or auto, got {gpus:g}: a trial trains on one GPU, and the others would "
                "stand idle. Set it to 1 or auto, and as many trials run side by side as there are GPUs; for "
                "a model too large for one set task.gradient_checkpointing or task.quantize"
            )
        return gpus
