"""Run the preflight checks: try each method in a worker on the real model, before budget is spent."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

import ray
from ray.exceptions import OutOfMemoryError, RayActorError, RayTaskError

import spaces
from search.cluster import (
    DEVICE_FAILURES,
    PERIOD_SECONDS,
    RETRIES,
    Cluster,
    FailureKind,
    Slots,
    connected,
    failure_kind,
    node_is_lost,
)
from search.config import Sweep
from search.preflight.forecast import disk_and_time, forecast
from search.records import ChecksListener, Plan, PreflightResults, RunFolder
from trainables.data import Data
from trainables.errors import DeviceFailed, InputError
from trainables.preflight.findings import Check, Findings
from trainables.preflight.request import Request
from trainables.storage.place import Place, free_bytes
from trainables.trainable import FineTune

MACHINES = 3
"""Machines that may be lost during the preflight checks of a method."""


@dataclass(frozen=True)
class Checker:
    """Runs the preflight checks of a sweep's methods, as many at a time as trials will run."""

    plan: Plan
    """Its sweep holds the methods to check; its run folder need not exist yet."""
    trainable: type[FineTune]
    cluster: Cluster
    slots: Slots
    tokens: Place | None = None
    """Where the workers share the tokenised data; None: they do not."""

    @property
    def sweep(self) -> Sweep:
        return self.plan.sweep

    def ask(self, known: PreflightResults, notify: ChecksListener) -> PreflightResults:
        """Check all methods without known results; `notify` is called as `ChecksListener` says.

        Raises:
            InputError: a worker sees other data than the driver.
            RayLost: Ray has died.
        """
        preflight = known
        under_way: dict[str, Findings] = {}
        for news in self._found([n for n in self.sweep.methods if n not in known.methods]):
            under_way.pop(news.method, None)
            methods, startup = preflight.methods, preflight.startup_seconds
            if news.is_whole:
                methods = {**methods, news.method: news.findings}
                startup = news.startup_seconds if startup is None else startup
            else:
                under_way[news.method] = news.findings
            preflight = PreflightResults(methods=methods, startup_seconds=startup, under_way=under_way)
            notify(preflight)
        found = {
            "methods": {**known.methods, **{name: preflight.methods[name] for name in self.sweep.methods}},
            "disk_and_time": self._disk_and_time(preflight),
            "is_whole": True,
        }
        preflight = preflight.model_copy(update=found)
        notify(preflight)
        return preflight

    def _found(self, names: list[str]) -> Iterator["_News"]:
        """Yield what the workers tell, as it comes."""
        with ExitStack() as stack:
            environment, left = self.cluster.environment(), iter(names)
            workers = [
                stack.enter_context(closing(_Worker(self.trainable, self.slots, environment)))
                for _ in range(min(self.slots.concurrent, len(names)))
            ]
            asked = {
                worker.ask(name, self._request(name)): worker
                for worker, name in zip(workers, left, strict=False)
            }
            while asked:
                answers, _ = ray.wait(list(asked), timeout=PERIOD_SECONDS)
                self.cluster.watch.check()
                if not answers:
                    continue
                (answer,) = answers
                worker = asked.pop(answer)
                news = worker.news(answer)
                if news is None:
                    asked[worker.ask_again()] = worker
                    continue
                yield news
                if not news.is_whole:
                    asked[answer] = worker
                elif name := next(left, None):
                    asked[worker.ask(name, self._request(name))] = worker

    def _request(self, name: str) -> Request:
        space = self.sweep.spaces()[name]
        return Request(
            method=self.sweep.base_of(name),
            hyperparameters=space.complete(space.default),
            costliest=spaces.costliest(space),
            task=self.sweep.task,
            data_seed=self.sweep.seed,
            data_fingerprint=self.plan.data_fingerprint,
            tokens=None if self.tokens is None else str(self.tokens),
            cpus=self.slots.cpus,
            gpu_bytes=self.cluster.gpu_bytes,
            memory_share=memory_share(self.slots, len(self.cluster.machines())),
        )

    def _disk_and_time(self, preflight: PreflightResults) -> Check | None:
        admitted = preflight.admitted(self.sweep)
        if not admitted.methods:
            return None
        plan, concurrent = self.plan, self.slots.concurrent
        expected = forecast(admitted, preflight, plan.rungs, plan.counts, concurrent)
        return disk_and_time(admitted, expected, free_bytes(plan.folder.root), concurrent)


def pass_checks(plan: Plan, checker: Checker, notify: ChecksListener) -> Plan:
    """Reduce the plan to the methods that pass; results are written to `preflight.json` as they come.

    Raises:
        InputError: no method is left, the disk would fill, or a worker sees other data than the driver.
    """

    def keep(preflight: PreflightResults) -> None:
        plan.folder.write_json(plan.folder.preflight_file, preflight.model_dump())
        notify(preflight)

    known = plan.folder.read_preflight().verdicts()
    preflight = known
    if known.disk_would_fill or any(name not in known.methods for name in checker.sweep.methods):
        preflight = checker.ask(known, keep)
    if preflight.disk_and_time is not None and preflight.disk_would_fill:
        raise InputError(f"The disk would fill: {preflight.disk_and_time.message}")
    admitted = preflight.admitted(plan.sweep)
    if not admitted.methods:
        file = plan.folder.preflight_file
        raise InputError(
            f"No method passed its preflight checks: {file} says why. Mend that, then delete the file."
        )
    return replace(plan, sweep=admitted, preflight=preflight)


def try_methods(
    sweep: Sweep,
    data: Data,
    rungs: list[int],
    notify: ChecksListener,
    *,
    address: str | None = None,
    trainable: type[FineTune] = FineTune,
) -> PreflightResults:
    """Run the preflight checks of all methods of a sweep that has no run folder yet."""
    with connected(address) as cluster:
        slots = cluster.slots(sweep.resources)
        plan = Plan(sweep, RunFolder(sweep.folder), data.fingerprint, rungs, counts=data.counts)
        keeper = Checker(plan, trainable, cluster, slots)
        return keeper.ask(PreflightResults(), notify)


def memory_share(slots: Slots, machines: int) -> float:
    """Compute the share of a GPU's, or a machine's, memory that each concurrent trial may take: (0, 1]."""
    return slots.gpus or 1 / ceil(slots.concurrent / machines)


@dataclass(frozen=True)
class _News:
    """What a worker has found about a method so far."""

    method: str
    findings: Findings
    is_whole: bool
    startup_seconds: float
    """From the request to now, less what the checks themselves took."""


class _Asker:
    """The actor that runs in the worker."""

    def __init__(self, trainable: type[FineTune], environment: Mapping[str, str]) -> None:
        trainable.equip(environment)
        self.trainable = trainable

    def checks(self, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
        yield from self.trainable.checks(request)


class _Worker:
    """A Ray actor with a trial's resources, started on demand and anew when it has died.

    It takes one request at a time.
    """

    def __init__(self, trainable: type[FineTune], slots: Slots, environment: Mapping[str, str]) -> None:
        others = {name: amount for name, amount in slots.bundle.items() if name not in ("CPU", "GPU")}
        actor = ray.remote(num_cpus=slots.cpus, num_gpus=slots.gpus, resources=others)(_Asker)
        self._start = lambda: actor.remote(trainable, environment)
        self._actor: Any = None
        self._deaths: Counter[str] = Counter()
        self._asked_about = ""
        self._asked_at = 0.0
        self._checks: list[Check] = []

    def ask(self, method: str, request: Request) -> ray.ObjectRefGenerator:
        """Request the checks of a method; return the answers, one after the other, for `news`."""
        self._asked_about, self._request = method, request.model_dump()
        self._deaths.clear()
        return self.ask_again()

    def ask_again(self) -> ray.ObjectRefGenerator:
        self._actor, self._asked_at, self._checks = self._actor or self._start(), time.perf_counter(), []
        answers: ray.ObjectRefGenerator = self._actor.checks.options(num_returns="streaming").remote(
            self._request
        )
        return answers

    def news(self, answers: ray.ObjectRefGenerator) -> _News | None:
        """Return what the checks found; an error outside them and the worker's last death are findings too.

        None: the worker died, and another may be asked, as often as a trial may be restarted.
        """
        findings, is_whole = self._heard(answers), True
        if isinstance(findings, Check):
            self._checks.append(findings)
            findings, is_whole = Findings(checks=self._checks), False
        if findings is None:
            return None
        spent = time.perf_counter() - self._asked_at - sum(check.seconds for check in findings.checks)
        return _News(self._asked_about, findings, is_whole, spent)

    def _heard(self, answers: ray.ObjectRefGenerator) -> Check | Findings | None:
        """Return the next check, or all findings after the last one, or None: another may be asked."""
        try:
            return Check.model_validate(ray.get(next(answers)))
        except StopIteration:
            return Findings(checks=self._checks)
        except (RayActorError, OutOfMemoryError) as error:
            self._actor = None
            return self._after_death(failure_kind(str(error)))
        except RayTaskError as error:
            if isinstance(error.cause, InputError):
                raise InputError(str(error.cause)) from error
            if isinstance(error.cause, DeviceFailed):
                return self._after_device_failure(str(error.cause))
            return _lost(f"{type(error.cause).__name__}: {error.cause}")

    def _after_death(self, of: FailureKind) -> Findings | None:
        if of == "Ray lost":
            raise node_is_lost()
        cause = "machine" if of == "preemption" else "worker"
        self._deaths[cause] += 1
        if self._deaths[cause] <= (MACHINES if cause == "machine" else RETRIES):
            return None
        return _lost(
            f"the {cause} died {self._deaths[cause]} times: it was killed, or ran out of memory. Give a "
            "trial more of it. `tuneoff resume` asks again."
        )

    def _after_device_failure(self, why: str) -> Findings | None:
        self.close()
        self._actor = None
        self._deaths["device"] += 1
        if self._deaths["device"] <= DEVICE_FAILURES:
            return None
        return _lost(
            f"the device failed {self._deaths['device']} times, each time in a new worker: {why}. Look for "
            "Xid lines in `dmesg`; without any, it is the method's own code. `tuneoff resume` asks again."
        )

    def close(self) -> None:
        if self._actor is not None:
            ray.kill(self._actor)


def _lost(message: str) -> Findings:
    return Findings(checks=[Check(name="worker", verdict="fail", message=message)])
