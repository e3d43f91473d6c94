"""The phases of a sweep on a cluster: gates, qualifying, final."""

import logging
from collections.abc import Callable, Iterable
from functools import partial

from search import final
from search.assignments import Plan
from search.boards import Boards
from search.cluster import Cluster
from search.config import Sweep
from search.events import Listener
from search.experiment import Experiment
from search.gates import GateListener
from search.ledger import Ledger
from search.mishaps import SweepFailed
from search.placement import Slots
from search.preflight import Gatekeeper, pass_gates
from search.qualifying import qualify, trials_left
from search.store import RunFolder
from trainables.trainable import FineTune

ATTEMPTS = 5
"""How often a phase may end with work left and nothing new in the records before tuneoff gives up."""

logger = logging.getLogger(__name__)


def has_work(plan: Plan) -> bool:
    """Whether anything is left to train: of a finished sweep only the report is written again."""
    ledger = Ledger(plan.folder)
    if trials_left(plan, ledger):
        return True
    final.enter(plan, ledger)
    return bool(final.runs_left(plan, ledger))


def work_off(
    plan: Plan,
    sweep: Sweep,
    cluster: Cluster,
    trainable: type[FineTune],
    *,
    listeners: Iterable[Listener],
    gates: GateListener,
) -> None:
    """Do what is left of every phase of `sweep`, as the records say; the plan is without methods that failed.

    Raises:
        InputError: a node cannot train, or no method passed its gates.
        SweepFailed: a phase ended too often with work left, or a disk is full.
    """
    store, resources = plan.folder, sweep.resources
    slots = cluster.slots(resources)
    differences = cluster.check(store.root, partial(_note_newcomer, store))
    told: tuple[Listener, ...] = (Boards(store), *listeners)
    experiment = Experiment(trainable, cluster, resources, slots, store.tune, told)
    plan = pass_gates(plan, _gatekeeper(plan, sweep, experiment), gates)
    search = experiment.packed(of.figures("memory") for of in plan.preflight.methods.values())
    _note_placement(store, search.slots, differences)
    _until_done(plan, search, "qualifying", trials_left, qualify)
    final.enter(plan, Ledger(store))
    _until_done(plan, experiment, "final", lambda *of: len(final.runs_left(*of)), final.hold)


def _gatekeeper(plan: Plan, sweep: Sweep, experiment: Experiment) -> Gatekeeper:
    """For the methods on which no budget was spent; of those that have trials it is too late to ask."""
    ledger = Ledger(plan.folder)
    fresh = {name: choice for name, choice in sweep.methods.items() if not ledger.qualifying(name)}
    return Gatekeeper(
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


def _note_placement(store: RunFolder, slots: Slots, differences: list[str]) -> None:
    """What a trial of the search was given, and where the nodes are not like this machine."""
    for difference in differences:
        logger.warning("The nodes differ from this machine: %s", difference)
    placement = {"gpus_per_trial": slots.gpus, "differences": differences}
    store.write_json(store.provenance_file, {**store.read_provenance(), "placement": placement})


def _note_newcomer(store: RunFolder, difference: str) -> None:
    logger.warning("A node has joined: %s", difference)
    known = store.read_provenance()
    placement = known.get("placement", {})
    placement["differences"] = [*placement.get("differences", []), difference]
    store.write_json(store.provenance_file, {**known, "placement": placement})


def _until_done(
    plan: Plan,
    experiment: Experiment,
    phase: str,
    left: Callable[[Plan, Ledger], int],
    go_on: Callable[[Plan, Ledger, Experiment], None],
) -> None:
    """Rebuild the phase from the records and go on, until nothing is left to do."""
    attempts, known = 0, None
    while True:
        ledger = Ledger(plan.folder, plan.sweep.qualifying.audit)
        if not left(plan, ledger):
            return
        attempts = attempts + 1 if ledger.records == known else 1
        if attempts > ATTEMPTS:
            raise SweepFailed(
                f"The {phase} ended {ATTEMPTS} times with work left and nothing done: see {plan.folder.root}."
            )
        known = dict(ledger.records)
        go_on(plan, ledger, experiment)
