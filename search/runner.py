"""A sweep from its file to its report: one function that may be run again and again on the same folder."""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from search import final
from search.assignments import Plan
from search.boards import Boards
from search.budget import rungs
from search.cluster import connected
from search.config import Sweep, SweepError, differences, load_sweep
from search.experiment import Experiment
from search.ledger import Ledger
from search.mishaps import SweepFailed, disk_is_full, left_no_space
from search.placement import Slots
from search.preflight import Gatekeeper, GateListener, pass_gates
from search.provenance import provenance, this_start
from search.qualifying import qualify, trials_left
from search.recorder import Listener
from search.repair import repair
from search.report import write_report
from search.results import Results, load_results
from search.store import RunFolder
from search.warm_start import warm_start
from trainables.atomic import write_text
from trainables.data import load
from trainables.errors import InputError
from trainables.hub import check_model
from trainables.metrics import check as check_metric
from trainables.place import Place, bytes_of
from trainables.trainable import FineTune

logger = logging.getLogger(__name__)

ATTEMPTS = 5
"""How often a phase may end with work left and nothing new in the records before tuneoff gives up."""


def run(
    sweep: Sweep | str | Path,
    folder: str | Place | None = None,
    *,
    address: str | None = None,
    listeners: Iterable[Listener] = (),
    gates: GateListener = lambda preflight: None,
    trainable: type[FineTune] = FineTune,
) -> Results:
    """Run a sweep, or take it up where its folder says it is, and write its report.

    Args:
        sweep: a sweep, its file, or the name of a bundled one.
        folder: the run folder, a path or a URL; by default `<storage>/<name>`.
        address: a running Ray cluster; by default Ray is started on this machine.
        listeners: told of each event of each trial.
        gates: told what the gates find before anything is trained; it may raise, to stop there.
        trainable: what works an assignment off; tests replay recorded curves.

    Raises:
        InputError: what the user can mend, told before anything is trained.
        SweepFailed: a phase ended too often with work left, or a disk is full.
    """
    if not isinstance(sweep, Sweep):
        sweep = load_sweep(sweep)
    store = RunFolder(folder or sweep.folder)
    with store.locked(), _full_disk_told(store):
        is_new = not store.provenance_file.exists()
        for line in repair(store):
            logger.warning(line)
        plan = _prepare(store, sweep)
        ledger = Ledger(store)
        if _has_work(plan, ledger):
            if not is_new:
                _note_resumption(store)
            with connected(address) as cluster, store.study_kept():
                resources = sweep.resources
                slots = cluster.slots(resources)
                differences = cluster.check(store.root, partial(_note_newcomer, store))
                told: tuple[Listener, ...] = (Boards(store), *listeners)
                experiment = Experiment(trainable, cluster, resources, slots, store.tune, told)
                plan = pass_gates(plan, _gatekeeper(plan, sweep, experiment, ledger), gates)
                search = experiment.packed(of.figures("memory") for of in plan.preflight.methods.values())
                _note_placement(store, search.slots, differences)
                _until_done(plan, search, "qualifying", trials_left, qualify)
                final.enter(plan, Ledger(store))
                _until_done(plan, experiment, "final", lambda *of: len(final.runs_left(*of)), final.hold)
        write_report(store.root)
    return load_results(store.root)


@contextmanager
def _full_disk_told(store: RunFolder) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if not left_no_space(error):
            raise
        raise disk_is_full(store.root, str(error)) from error


def _prepare(store: RunFolder, sweep: Sweep) -> Plan:
    """Check everything that can be checked without a worker, then write down what is about to be run."""
    if store.sweep_file.exists():
        _refuse_another_sweep(store, sweep)
    check_model(sweep.task)
    check_metric(sweep.task.rules(), trusted=sweep.task.trust_remote_code)
    data = load(sweep.task, sweep.seed)
    known = store.read_provenance()
    if known and known["data"]["fingerprint"] != data.fingerprint:
        raise InputError(
            f"The data of {store.root} has changed since the sweep began (fingerprint "
            f"{known['data']['fingerprint']}, now {data.fingerprint}). Restore it, or use another --folder."
        )
    warm_start(sweep, store)
    preflight = store.read_preflight()
    plan = Plan(
        preflight.admitted(sweep),
        store,
        data.fingerprint,
        rungs(sweep.qualifying, len(data.train)),
        preflight,
    )
    write_text(store.sweep_file, sweep.to_yaml())
    if not known:
        store.write_json(store.provenance_file, provenance(sweep, data, plan.rungs))
    return plan


def _gatekeeper(plan: Plan, sweep: Sweep, experiment: Experiment, ledger: Ledger) -> Gatekeeper:
    """For the methods on which no budget was spent; of those that have trials it is too late to ask."""
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


def _note_resumption(store: RunFolder) -> None:
    known = store.read_provenance()
    store.write_json(store.provenance_file, {**known, "resumed": [*known.get("resumed", []), this_start()]})


def _refuse_another_sweep(store: RunFolder, sweep: Sweep) -> None:
    old = Sweep.from_yaml(bytes_of(store.sweep_file).decode(), str(store.sweep_file))
    if problems := differences(old, sweep):
        raise SweepError(
            problems, f"{store.root} holds another sweep; name another folder with --folder, or undo these"
        )


def _has_work(plan: Plan, ledger: Ledger) -> bool:
    """Whether Ray is needed at all: a finished sweep only has its report written again."""
    if trials_left(plan, ledger):
        return True
    final.enter(plan, ledger)
    return bool(final.runs_left(plan, ledger))


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
