"""A sweep from its file to its report: one function that may be run again and again on the same folder."""

from collections.abc import Callable, Iterable
from pathlib import Path

from search import final
from search.assignments import Plan
from search.budget import rungs
from search.cluster import connected, slots
from search.config import Sweep, SweepError, differences, load_sweep
from search.experiment import Experiment
from search.ledger import Ledger
from search.preflight import Gatekeeper, GateListener, pass_gates
from search.provenance import provenance, this_start
from search.qualifying import qualify, trials_left
from search.recorder import Listener
from search.report import write_report
from search.results import Results, load_results
from search.store import RunFolder
from trainables.atomic import write_text
from trainables.data import load
from trainables.errors import InputError
from trainables.hub import check_model
from trainables.trainable import FineTune

ATTEMPTS = 5
"""How often a phase that ended with work left is taken up before tuneoff gives up."""


class SweepFailed(RuntimeError):
    """The sweep could not go on; its records are whole, and `tuneoff resume` takes it up again."""


def run(
    sweep: Sweep | str | Path,
    folder: str | Path | None = None,
    *,
    address: str | None = None,
    listeners: Iterable[Listener] = (),
    gates: GateListener = lambda preflight: None,
    trainable: type[FineTune] = FineTune,
) -> Results:
    """Run a sweep, or take it up where its folder says it is, and write its report.

    Args:
        sweep: a sweep, its file, or the name of a bundled one.
        folder: the run folder; by default `<storage>/<name>`.
        address: a running Ray cluster; by default Ray is started on this machine.
        listeners: told of each event of each trial.
        gates: told what the gates find before anything is trained; it may raise, to stop there.
        trainable: what works an assignment off; tests replay recorded curves.

    Raises:
        InputError: what the user can mend, told before anything is trained.
        SweepFailed: a phase ended too often with work left.
    """
    if not isinstance(sweep, Sweep):
        sweep = load_sweep(sweep)
    store = RunFolder(Path(folder) if folder is not None else Path(sweep.storage) / sweep.name)
    with store.locked():
        is_new = not store.provenance_file.exists()
        plan = _prepare(store, sweep)
        if _has_work(plan):
            if not is_new:
                _note_resumption(store)
            with connected(address):
                experiment = Experiment(trainable, slots(sweep.resources), store.tune, tuple(listeners))
                plan = pass_gates(plan, _gatekeeper(plan, sweep, experiment), gates)
                _until_done(plan, experiment, "qualifying", trials_left, qualify)
                final.enter(plan, Ledger(store))
                _until_done(plan, experiment, "final", lambda *of: len(final.runs_left(*of)), final.hold)
        write_report(store.root)
    return load_results(store.root)


def _prepare(store: RunFolder, sweep: Sweep) -> Plan:
    """Check everything that can be checked without a worker, then write down what is about to be run."""
    if store.sweep_file.exists():
        _refuse_another_sweep(store, sweep)
    check_model(sweep.task)
    data = load(sweep.task, sweep.seed)
    known = store.read_provenance()
    if known and known["data"]["fingerprint"] != data.fingerprint:
        raise InputError(
            f"The data of {store.root} has changed since the sweep began (fingerprint "
            f"{known['data']['fingerprint']}, now {data.fingerprint}). Restore it, or use another --folder."
        )
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
        experiment.slots,
        plan.folder.root,
    )


def _note_resumption(store: RunFolder) -> None:
    known = store.read_provenance()
    store.write_json(store.provenance_file, {**known, "resumed": [*known.get("resumed", []), this_start()]})


def _refuse_another_sweep(store: RunFolder, sweep: Sweep) -> None:
    old = Sweep.from_yaml(store.sweep_file.read_text(encoding="utf-8"), str(store.sweep_file))
    if problems := differences(old, sweep):
        raise SweepError(
            problems, f"{store.root} holds another sweep; name another folder with --folder, or undo these"
        )


def _has_work(plan: Plan) -> bool:
    """Whether Ray is needed at all: a finished sweep only has its report written again."""
    ledger = Ledger(plan.folder)
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
    for _ in range(ATTEMPTS):
        ledger = Ledger(plan.folder)
        if not left(plan, ledger):
            return
        go_on(plan, ledger, experiment)
    if left(plan, Ledger(plan.folder)):
        raise SweepFailed(f"The {phase} ended {ATTEMPTS} times with work left: see {plan.folder.root}.")
