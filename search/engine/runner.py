"""A sweep from its file to its report: one function that may be run again and again on the same folder."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from search.cluster import connected, disk_is_full, left_no_space, preloaded
from search.config import Sweep, SweepError, differences, load_sweep, rungs
from search.engine.phases import has_work, run_phases
from search.records import (
    ChecksListener,
    Listener,
    Plan,
    Results,
    RunFolder,
    load_results,
    provenance,
    refuse_newer_records,
    repair,
    this_start,
)
from search.studies import warm_start
from search.trackers import check_trackers, tracked
from trainables.data import load
from trainables.errors import InputError
from trainables.hub import check_model
from trainables.metrics import check as check_metric
from trainables.storage.atomic import write_text
from trainables.storage.place import Place, bytes_of
from trainables.trainable import FineTune

logger = logging.getLogger(__name__)


def run(
    sweep: Sweep | str | Path,
    folder: str | Place | None = None,
    *,
    address: str | None = None,
    listeners: Iterable[Listener] = (),
    checks: ChecksListener = lambda preflight: None,
    trainable: type[FineTune] = FineTune,
) -> Results:
    """Run a sweep, or take it up where its folder says it is, and write its report.

    Args:
        sweep: a sweep, its file, or the name of a bundled one.
        folder: the run folder, a path or a URL; by default `<storage>/<name>`.
        address: a running Ray cluster; by default Ray is started on this machine.
        listeners: told of each event of each trial.
        checks: told what the preflight checks find before anything is trained; it may raise, to stop there.
        trainable: what works an assignment off; tests replay recorded curves.

    Raises:
        InputError: what the user can mend, told before anything is trained.
        SweepFailed: a phase ended too often with work left, a disk is full, or Ray is lost.
    """
    if not isinstance(sweep, Sweep):
        sweep = load_sweep(sweep)
    run_folder = RunFolder(folder or sweep.folder)
    _refuse_what_is_not_ours(run_folder, sweep)
    with run_folder.locked(), _full_disk_told(run_folder):
        _refuse_another_sweep(run_folder, sweep)
        is_new = not run_folder.provenance_file.exists()
        for line in repair(run_folder):
            logger.warning(line)
        plan = _prepare(run_folder, sweep)
        if has_work(plan):
            if not is_new:
                _note_resumption(run_folder)
            workers = preloaded(sweep.resources, trainable)
            farewell = f"Go on with: tuneoff resume {run_folder.root}"
            with (
                tracked(plan) as trackers,
                connected(address, workers=workers, farewell=farewell) as cluster,
                run_folder.study_kept(),
            ):
                told = [*trackers, *listeners]
                run_phases(plan, sweep, cluster, trainable, listeners=told, checks=checks)
        from search.report import write_report  # its libraries take a second, which trials need not wait for

        write_report(run_folder.root)
    return load_results(run_folder.root)


@contextmanager
def _full_disk_told(run_folder: RunFolder) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if not left_no_space(error):
            raise
        raise disk_is_full(run_folder.root, str(error)) from error


def _prepare(run_folder: RunFolder, sweep: Sweep) -> Plan:
    """Check everything that can be checked without a worker, then write down what is about to be run."""
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
    warm_start(sweep, run_folder)
    preflight = run_folder.read_preflight().verdicts()
    plan = Plan(
        preflight.admitted(sweep),
        run_folder,
        data.fingerprint,
        rungs(sweep.search, len(data.train)),
        preflight,
    )
    write_text(run_folder.sweep_file, sweep.to_yaml())
    if not known:
        run_folder.write_json(run_folder.provenance_file, provenance(sweep, data, plan.rungs))
    return plan


def _note_resumption(run_folder: RunFolder) -> None:
    known = run_folder.read_provenance()
    run_folder.write_json(
        run_folder.provenance_file, {**known, "resumed": [*known.get("resumed", []), this_start()]}
    )


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
