"""The phases of a sweep on a cluster: checks, search, final."""

import logging
from collections.abc import Callable, Iterable
from functools import partial

from search.cluster import Cluster, Slots, SweepFailed
from search.config import Sweep
from search.engine import final
from search.engine.experiment import Experiment
from search.engine.search_phase import run_search, trials_left
from search.preflight import Checker, pass_checks
from search.records import ChecksListener, Listener, Plan, RunFolder, TrialStore
from search.trackers import TensorBoardLogger
from trainables.trainable import FineTune

ATTEMPTS = 5
"""How often a phase may end with work left and nothing new in the records before tuneoff gives up."""

logger = logging.getLogger(__name__)


def has_work(plan: Plan) -> bool:
    """Whether anything is left to train: of a finished sweep only the report is written again."""
    store = TrialStore(plan.folder)
    if trials_left(plan, store):
        return True
    final.enter(plan, store)
    return bool(final.runs_left(plan, store))


def run_phases(
    plan: Plan,
    sweep: Sweep,
    cluster: Cluster,
    trainable: type[FineTune],
    *,
    listeners: Iterable[Listener],
    checks: ChecksListener,
) -> None:
    """Do what is left of every phase of `sweep`, as the records say; the plan is without methods that failed.

    Raises:
        InputError: a node cannot train, or no method passed its preflight checks.
        SweepFailed: a phase ended too often with work left, or a disk is full.
    """
    run_folder, resources = plan.folder, sweep.resources
    slots = cluster.slots(resources)
    differences = cluster.check(run_folder.root, partial(_note_joined, run_folder))
    told: tuple[Listener, ...] = (TensorBoardLogger(run_folder), *listeners)
    experiment = Experiment(trainable, cluster, resources, slots, run_folder.tune, told)
    plan = pass_checks(plan, _checker(plan, sweep, experiment), checks)
    search = experiment.packed(of.figures("memory") for of in plan.preflight.methods.values())
    _note_placement(run_folder, search.slots, differences)
    _until_done(plan, search, "search", trials_left, run_search)
    final.enter(plan, TrialStore(run_folder))
    _until_done(plan, experiment, "final", lambda *of: len(final.runs_left(*of)), final.hold)


def _checker(plan: Plan, sweep: Sweep, experiment: Experiment) -> Checker:
    """For the methods on which no budget was spent; of those that have trials it is too late to ask."""
    store = TrialStore(plan.folder)
    fresh = {name: choice for name, choice in sweep.methods.items() if not store.search(name)}
    return Checker(
        sweep.model_copy(update={"methods": fresh}),
        plan.data_fingerprint,
        plan.folder.read_provenance()["data"]["counts"],
        plan.rungs,
        experiment.trainable,
        experiment.cluster,
        experiment.slots,
        plan.folder.root,
        plan.folder.tokens,
    )


def _note_placement(run_folder: RunFolder, slots: Slots, differences: list[str]) -> None:
    """What a trial of the search was given, and where the nodes are not like this machine."""
    for difference in differences:
        logger.warning("The nodes differ from this machine: %s", difference)
    placement = {"gpus_per_trial": slots.gpus, "differences": differences}
    run_folder.write_json(
        run_folder.provenance_file, {**run_folder.read_provenance(), "placement": placement}
    )


def _note_joined(run_folder: RunFolder, difference: str) -> None:
    logger.warning("A node has joined: %s", difference)
    known = run_folder.read_provenance()
    placement = known.get("placement", {})
    placement["differences"] = [*placement.get("differences", []), difference]
    run_folder.write_json(run_folder.provenance_file, {**known, "placement": placement})


def _until_done(
    plan: Plan,
    experiment: Experiment,
    phase: str,
    left: Callable[[Plan, TrialStore], int],
    go_on: Callable[[Plan, TrialStore, Experiment], None],
) -> None:
    """Rebuild the phase from the records and go on, until nothing is left to do."""
    attempts, known = 0, None
    while True:
        store = TrialStore(plan.folder, plan.sweep.search.audit)
        if not left(plan, store):
            return
        attempts = attempts + 1 if store.records == known else 1
        if attempts > ATTEMPTS:
            raise SweepFailed(
                f"The {phase} ended {ATTEMPTS} times with work left and nothing done: see {plan.folder.root}."
            )
        known = dict(store.records)
        go_on(plan, store, experiment)
