"""The report's last section: everything needed to judge the numbers and to make them again."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pandas as pd

from search.config import Search
from search.records import Results
from search.report import tables
from search.report.markdown import bullets, code, fence, section, text
from search.report.names import data_name, metric_name
from search.verdict import counted, listed
from trainables.accelerator import Accelerator
from trainables.amounts import DASH, duration, number
from trainables.status import Status

_REFERENCES = {
    "mean": ", the mean over several references",
    "max": ", the best of several references",
    "all": ", all references at once",
}


def setup(results: Results) -> str:
    """Write what was run; facts that provenance.json does not hold are a dash."""
    return section(
        "What was run",
        bullets([*_task(results), *_procedure(results), *_machine(results), *imports(results)]),
        *_titled("Notes on the data", _notes(results)),
        *_titled("Failures", _failures(results)),
        "**Prompt**",
        fence(results.sweep.task.prompt),
        "**To reproduce**",
        fence(results.provenance.get("command", "tuneoff run sweep.yaml")),
    )


def metric_facts(results: Results) -> str:
    """Describe how the scores were computed: settings that move them by points."""
    signatures = _facts(results, "metric").get("signatures", {})
    several = "" if results.sweep.task.picks_labels else _REFERENCES[results.sweep.task.references or "all"]
    computed = "; ".join(map(code, signatures.values())) or DASH
    return f"{metric_name(results)} by {computed}{several}"


def _task(results: Results) -> list[str]:
    task, data = results.sweep.task, _facts(results, "data")
    counts = ", ".join(f"{split} {number(count)}" for split, count in data.get("counts", {}).items())
    longest = f"source {number(task.max_source_tokens)}, target {number(task.max_target_tokens)}"
    return [
        f"Model: {code(task.model)}, {number(_parameters(results))} parameters",
        f"Data: {code(data_name(task.data))}, fingerprint {code(data.get('fingerprint', ''))}",
        f"Documents: {counts or DASH}",
        f"Longest text in tokens: {longest}",
        f"Metric: {metric_facts(results)}",
        *_chat(results),
    ]


def _chat(results: Results) -> list[str]:
    task = results.sweep.task
    system = f", after the system's message {code(task.system)}" if task.system else ""
    return (
        [f"The prompt is a user's message in the model's chat template{system}"] if task.chat_template else []
    )


def _parameters(results: Results) -> float | None:
    """Return the base model's parameters: the smallest total, since methods add to it."""
    totals = [record.cost.get("total_parameters") for record in results.records]
    return min((total for total in totals if total is not None), default=None)


def _procedure(results: Results) -> list[str]:
    sweep, search = results.sweep, results.sweep.search
    budget = number(_facts(results, "budget").get("examples"))
    seeds = ", ".join(str(index) for index in range(sweep.final.seeds))
    return [
        f"Search: {_search_budget(search)} a method, sampler {code(search.sampler)}, "
        f"scheduler {code(search.scheduler)}, full budget {budget} examples",
        f"Final: seeds {seeds} a method; sweep seed {sweep.seed}{_determinism(results)}",
    ]


def _determinism(results: Results) -> str:
    if results.sweep.task.deterministic:
        return "; deterministic algorithms"
    if not _facts(results, "placement").get("gpus_per_trial"):
        return ""
    return "; algorithms of the GPU that add in any order, so that equal seeds give nearly equal scores"


def _search_budget(search: Search) -> str:
    if search.budget is None:
        return f"{search.trials_per_method} trials"
    return f"{duration(search.budget.device_seconds_per_method)} of device time"


def _machine(results: Results) -> list[str]:
    spent, hardware = tables.device_seconds(results), _facts(results, "hardware")
    audit = f", {duration(spent.audit)} in the audit" if spent.audit else ""
    versions = {"tuneoff": results.provenance.get("tuneoff", DASH)} | _facts(results, "versions")
    return [
        f"Versions: {code(', '.join(f'{package} {version}' for package, version in versions.items()))}",
        f"Hardware: {code(', '.join(f'{part}: {what}' for part, what in hardware.items()))}",
        *_accelerators(results),
        f"Device time: {duration(spent.total)} ({number(spent.total)} s): {duration(spent.search)} in "
        f"the search, {duration(spent.final)} in the final{audit}; start-up, training and evaluation",
        f"Started: {code(results.provenance.get('started', ''))}{_resumptions(results)}",
    ]


def _accelerators(results: Results) -> list[str]:
    """List the GPUs that runs ended on, and how many of these runs shared theirs; none for CPUs."""
    runs: dict[str, list[Accelerator]] = {}
    for record in results.records:
        if record.rungs and (found := record.rungs[-1].accelerator):
            runs.setdefault(found.versions, []).append(found)
    return [f"GPU: {code(versions)}, {_runs(used)}" for versions, used in runs.items()]


def _runs(used: list[Accelerator]) -> str:
    """Count runs: `12 runs, of which 8 beside other processes`."""
    shared = Counter(way for one in used for way in one.sharing)
    ways = [f"{number(count)} {way}" for way, count in shared.items()]
    return counted(len(used), "run") + (f", of which {listed(ways)}" if ways else "")


def _resumptions(results: Results) -> str:
    """Say how often the sweep was resumed, and how often with other versions or hardware."""
    first, resumed = results.provenance, results.provenance.get("resumed", [])
    other = sum(any(start[fact] != first[fact] for fact in ("versions", "hardware")) for start in resumed)
    changed = f", {other} of them with other versions or hardware" if other else ""
    return f", resumed {len(resumed)} times{changed}" if resumed else ""


def _facts(results: Results, topic: str) -> dict[str, Any]:
    facts: dict[str, Any] = results.provenance.get(topic, {})
    return facts


def imports(results: Results) -> list[str]:
    """List the files of each import, with the methods that came with them."""
    return [_entry(entry) for entry in results.provenance.get("imported", [])]


def _entry(entry: Mapping[str, Any]) -> str:
    methods = listed([code(method) for method in entry["methods"]])
    return f"Imported {code(entry['started'])}: {listed([_file(one) for one in entry['files']])}; {methods}"


def _file(one: Mapping[str, Any]) -> str:
    return f"{code(one['file'])} ({counted(one['rows'], 'row')}, SHA-256 {code(one['sha256'][:16])})"


def _titled(title: str, lines: list[str]) -> list[str]:
    return [f"**{title}**", bullets(lines)] if lines else []


def _notes(results: Results) -> list[str]:
    return [text(note) for note in _facts(results, "data").get("notes", [])]


def _failures(results: Results) -> list[str]:
    """List what ended trials, then what happened to others without ending them."""
    ends = [_failure(row) for _, row in tables.failures(results).iterrows()]
    befell = [*_preemptions(results), *_device_failures(results), *_on_whole_gpus(results)]
    return [*ends, *befell, *_remarks(results), *_damaged(results)] or ["none"]


def _preemptions(results: Results) -> list[str]:
    """Count machines that were taken away: no trial's fault, so apart from its failures."""
    title = "Preemptions, after each of which the trial went on elsewhere"
    return _counted(title, {record.id: record.preemptions for record in results.records})


def _device_failures(results: Results) -> list[str]:
    title = "CUDA errors, after each of which the trial went on in a new worker"
    return _counted(title, {record.id: record.device_failures for record in results.records})


def _on_whole_gpus(results: Results) -> list[str]:
    trials = ", ".join(code(record.id) for record in results.records if record.whole_gpu)
    return [f"Out of memory beside others on a GPU, then run with one to itself: {trials}"] if trials else []


def _counted(title: str, counts: Mapping[str, int]) -> list[str]:
    each = ", ".join(f"{code(trial)} {count}" for trial, count in counts.items() if count)
    return [f"{title}: {each}"] if each else []


def _remarks(results: Results) -> list[str]:
    return [f"{code(record.id)}: {text(remark)}" for record in results.records for remark in record.remarks]


def _damaged(results: Results) -> list[str]:
    again = "its predictions are damaged and left out here; a resume has the run again"
    return [f"{code(run)}: {again}" for run in results.damaged_predictions]


def _failure(row: pd.Series) -> str:
    reason = Status(row["status"]).facts.reason if pd.isna(row["reason"]) else code(row["reason"])
    retries = f" after {row['retries']} retries" if row["retries"] else ""
    return f"{code(row['id'])} {row['status']}{retries}: {reason}"
