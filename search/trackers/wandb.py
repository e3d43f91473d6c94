"""Weights & Biases: a group a sweep. `WANDB_PROJECT` names the project, by default `tuneoff`.

`WANDB_ENTITY`, `WANDB_API_KEY`, `WANDB_MODE=offline` and whatever else it reads hold as everywhere.
"""

import wandb
from wandb.sdk import wandb_setup
from wandb.sdk.mailbox import HandleAbandonedError, MailboxClosedError

from search.records import Record
from search.trackers.tracking import labels
from trainables.status import Status

ERRORS = (wandb.Error, OSError, HandleAbandonedError, MailboxClosedError)
"""Of its server; of the process on this machine that talks to it."""
FINISH_SECONDS = 30.0
"""How long the end of a run waits until all of it is uploaded."""
WITHOUT_KEY = ("offline", "dryrun", "disabled")
OWN = wandb.Settings(
    # What it gathers by itself is this process's, which trains nothing: its output, load and command.
    console="off",
    x_disable_stats=True,
    x_disable_meta=True,
    x_save_requirements=False,
    silent=True,
    finish_timeout=FINISH_SECONDS,
    finish_timeout_raises=True,
)


class Tracker:
    """The sweep's group."""

    def __init__(self, sweep: str) -> None:
        self._sweep = sweep
        settings = wandb_setup.singleton().settings  # `wandb.setup` hangs where its process does not start
        self._project = settings.project or "tuneoff"
        # else `wandb.init` would ask for a key, here in the background
        if settings.mode not in WITHOUT_KEY and not wandb.login(prompt=False, verify=False):
            raise wandb.errors.UsageError(
                "no API key. Run `wandb login`, or set WANDB_API_KEY or WANDB_MODE=offline."
            )

    def open(self, key: str, record: Record) -> "Run":
        known = labels(record)
        run = wandb.init(
            project=self._project,
            group=self._sweep,
            job_type=record.phase,
            name=record.id,
            tags=[record.method, record.phase, record.origin],
            config=known | record.hyperparameters,
            id=key,
            resume="allow",
            reinit="create_new",
            settings=OWN,
        )
        return Run(run)


class Run:
    """A run; offline it does not know what an earlier start sent, and gets it again."""

    def __init__(self, run: wandb.Run) -> None:
        self._run = run
        self.next_step = run.starting_step

    def log(self, values: dict[str, float], examples: int) -> None:
        self.next_step = examples + 1
        self._run.log(values, step=examples, commit=True)

    def end(self, status: Status) -> None:
        self._run.summary["status"] = status.value
        self._run.finish(exit_code=0 if not status.facts.has_failed else 1)
