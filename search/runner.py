"""A sweep from its file to its report: one function that may be run again and again on the same folder."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from search.assignments import Plan
from search.budget import rungs
from search.cluster import connected
from search.config import Sweep, SweepError, differences, load_sweep
from search.events import Listener
from search.gates import GateListener
from search.mishaps import disk_is_full, left_no_space
from search.phases import has_work, work_off
from search.preloading import preloading
from search.provenance import provenance, this_start
from search.repair import refuse_newer_records, repair
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
    _refuse_what_is_not_ours(store, sweep)
    with store.locked(), _full_disk_told(store):
        _refuse_another_sweep(store, sweep)
        is_new = not store.provenance_file.exists()
        for line in repair(store):
            logger.warning(line)
        plan = _prepare(store, sweep)
        if has_work(plan):
            if not is_new:
                _note_resumption(store)
            workers = preloading(sweep.resources, trainable)
            with connected(address, workers=workers) as cluster, store.study_kept():
                work_off(plan, sweep, cluster, trainable, listeners=listeners, gates=gates)
        from search.report import write_report  # its libraries take a second, which trials need not wait for

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


def _note_resumption(store: RunFolder) -> None:
    known = store.read_provenance()
    store.write_json(store.provenance_file, {**known, "resumed": [*known.get("resumed", []), this_start()]})


def _refuse_what_is_not_ours(store: RunFolder, sweep: Sweep) -> None:
    """Raise InputError for a folder of another sweep or of a newer tuneoff; its files are only read."""
    _refuse_another_sweep(store, sweep)
    store.read_provenance()
    store.read_preflight()
    refuse_newer_records(store)


def _refuse_another_sweep(store: RunFolder, sweep: Sweep) -> None:
    if not store.sweep_file.exists():
        return
    old = Sweep.from_yaml(bytes_of(store.sweep_file).decode(), str(store.sweep_file))
    if problems := differences(old, sweep):
        raise SweepError(
            problems, f"{store.root} holds another sweep; name another folder with --folder, or undo these"
        )
