"""A sweep from its file to its report: one function that may be run again and again on the same folder."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from search.cluster import Cluster, check_resources, connected, disk_is_full, left_no_space
from search.config import Sweep, SweepError, differences, load_sweep, rungs
from search.engine.experiment import Experiment, SweepPhase
from search.engine.final import Final
from search.engine.search_phase import SearchPhase
from search.engine.time_limit import TimeLimit
from search.preflight import Checker, pass_checks
from search.records import (
    ChecksListener,
    Listener,
    Plan,
    Results,
    RunFolder,
    TrialStore,
    load_results,
    note_joined,
    note_placement,
    note_resumption,
    provenance,
    refuse_imported,
    refuse_newer_records,
    repair,
)
from search.studies import warm_start
from search.trackers import TensorBoardLogger, check_trackers, tracked
from trainables.data import Data, load
from trainables.errors import InputError
from trainables.hub import check_model
from trainables.metrics import check as check_metric
from trainables.storage.atomic import write_text
from trainables.storage.place import Place, bytes_of
from trainables.trainable import FineTune

logger = logging.getLogger(__name__)


class PreflightPhase:
    """The preflight checks of the methods on which no budget was spent yet."""

    def __init__(self, sweep: Sweep, notify: ChecksListener) -> None:
        self.sweep = sweep
        self.notify = notify

    def left(self, plan: Plan, store: TrialStore) -> int:
        return len(self._fresh(store).methods.keys() - plan.preflight.methods.keys())

    def run(self, plan: Plan, experiment: Experiment) -> Plan:
        """Remove the methods that fail from the plan.

        Raises:
            InputError: no method is left, or the disk would fill.
        """
        of_fresh = replace(plan, sweep=self._fresh(TrialStore(plan.folder)))
        checker = Checker(
            of_fresh, experiment.trainable, experiment.cluster, experiment.slots, plan.folder.tokens
        )
        return pass_checks(plan, checker, self.notify)

    def _fresh(self, store: TrialStore) -> Sweep:
        fresh = {name: choice for name, choice in self.sweep.methods.items() if not store.search(name)}
        return self.sweep.model_copy(update={"methods": fresh})


def run(
    sweep: Sweep | str | Path,
    folder: str | Place | None = None,
    *,
    address: str | None = None,
    listeners: Iterable[Listener] = (),
    checks: ChecksListener = lambda preflight: None,
    trainable: type[FineTune] = FineTune,
) -> Results:
    """Run a sweep, or resume it from its folder, and write its report.

    Args:
        sweep: a sweep, its file, or the name of a bundled one.
        folder: the run folder, a path or a URL; by default `<storage>/<name>`.
        address: a running Ray cluster; by default Ray is started on this machine.
        listeners: called with each event of each trial.
        checks: called with what the preflight checks find, before anything is trained; it may raise to stop.
        trainable: what runs an assignment; tests replay recorded curves.

    Raises:
        InputError: what the user can mend, raised before anything is trained.
        SweepFailed: a phase ended too often with work left, a disk is full, or Ray is lost.
    """
    if not isinstance(sweep, Sweep):
        sweep = load_sweep(sweep)
    run_folder = RunFolder(folder or sweep.folder)
    refuse_imported(run_folder, sweep)
    _refuse_what_is_not_ours(run_folder, sweep)
    check_resources(sweep.resources, address)
    with run_folder.locked(), _full_disk_reported(run_folder):
        is_new = not run_folder.provenance_file.exists()
        plan = _prepare(run_folder, sweep)
        phases: list[SweepPhase] = [PreflightPhase(sweep, checks), SearchPhase(), Final()]
        store = TrialStore(run_folder)
        if any(phase.left(plan, store) for phase in phases):  # else only the report is written again
            if not is_new:
                note_resumption(run_folder)
            with _experiment(plan, address, trainable, listeners) as experiment:
                for phase in phases:
                    plan = phase.run(plan, experiment)
        from search.report import write_report  # its libraries take a second, which trials need not wait for

        write_report(run_folder.root)
    return load_results(run_folder.root)


@contextmanager
def _full_disk_reported(run_folder: RunFolder) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if not left_no_space(error):
            raise
        raise disk_is_full(run_folder.root, str(error)) from error


def _prepare(run_folder: RunFolder, sweep: Sweep) -> Plan:
    """Repair the folder, check what can be checked without a worker, write down what is about to be run."""
    _refuse_another_sweep(run_folder, sweep)
    for line in repair(run_folder):
        logger.warning(line)
    data = _checked_data(run_folder, sweep)
    warm_start(sweep, run_folder)
    preflight = run_folder.read_preflight().verdicts()
    plan = Plan(
        preflight.admitted(sweep),
        run_folder,
        data.fingerprint,
        rungs(sweep.search, len(data.train)),
        preflight,
        data.counts,
    )
    write_text(run_folder.sweep_file, sweep.to_yaml())
    if not run_folder.provenance_file.exists():
        run_folder.write_json(run_folder.provenance_file, provenance(sweep, data, plan.rungs))
    return plan


def _checked_data(run_folder: RunFolder, sweep: Sweep) -> Data:
    """Load the data, once the model, the metric and the trackers have been checked.

    Raises:
        InputError: one of them is wrong, or the data has changed since the sweep began.
    """
    check_model(sweep.task)
    check_metric(sweep.task.rules(), trusted=sweep.task.trust_remote_code)
    check_trackers(sweep.tracking)
    data = load(sweep.task, sweep.seed)
    known = run_folder.read_provenance()
    if known and known["data"]["fingerprint"] != data.fingerprint:
        raise InputError(
            f"The data of {run_folder.root} has changed since the sweep began (fingerprint "
            f"{known['data']['fingerprint']}, now {data.fingerprint}). Restore it, or use another --folder."
        )
    return data


@contextmanager
def _experiment(
    plan: Plan, address: str | None, trainable: type[FineTune], listeners: Iterable[Listener]
) -> Iterator[Experiment]:
    """Connect to the cluster and the trackers, and set up how trials are run there.

    Raises:
        InputError: a node cannot train.
    """
    farewell = f"Go on with: tuneoff resume {plan.folder.root}"
    with (
        tracked(plan) as trackers,
        connected(address, farewell=farewell) as cluster,
        plan.folder.study_kept(),
    ):
        limit = TimeLimit("deadline", plan.sweep.deadline)
        slots = cluster.slots(plan.sweep.resources)
        _compare_nodes(plan.folder, cluster)
        everyone: tuple[Listener, ...] = (TensorBoardLogger(plan.folder), *trackers, *listeners)
        yield Experiment(trainable, cluster, plan.sweep.resources, slots, plan.folder.tune, everyone, limit)


def _compare_nodes(run_folder: RunFolder, cluster: Cluster) -> None:
    """Log and note where the nodes are not like this machine; raise InputError where one cannot train."""
    differences = cluster.check(run_folder.root, partial(note_joined, run_folder))
    for difference in differences:
        logger.warning("The nodes differ from this machine: %s", difference)
    note_placement(run_folder, differences=differences, gpus=cluster.gpus)


def _refuse_what_is_not_ours(run_folder: RunFolder, sweep: Sweep) -> None:
    """Raise InputError for a folder of another sweep or of a newer tuneoff; its files are only read."""
    _refuse_another_sweep(run_folder, sweep)
    run_folder.read_provenance()
    run_folder.read_preflight()
    refuse_newer_records(run_folder)


def _refuse_another_sweep(run_folder: RunFolder, sweep: Sweep) -> None:
    if not run_folder.sweep_file.exists():
        return
    old = Sweep.from_yaml(bytes_of(run_folder.sweep_file).decode(), str(run_folder.sweep_file))
    if problems := differences(old, sweep):
        raise SweepError(
            problems,
            f"{run_folder.root} holds another sweep; name another folder with --folder, or undo these",
        )
