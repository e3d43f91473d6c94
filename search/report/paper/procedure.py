"""A paragraph on what was done, which a paper can quote; every number in it is from the records."""

import re
from collections.abc import Iterator, Mapping

import spaces
from search.records import Results
from search.report import tables
from search.report.names import data_title, metric_name, model_title
from search.report.paper.latex import code, text
from search.report.paper.references import papers
from search.report.scored import correction
from search.samplers import get as get_sampler
from search.verdict import Verdict, listed
from trainables import metrics
from trainables.amounts import duration, number

_SPLITS = {"train": "training"}
_REFERENCES = {"mean": "the mean over", "max": "the best of", "all": "against all of"}


def procedure(results: Results, verdict: Verdict) -> str:
    """Write the paragraph as LaTeX; what is not recorded is left out."""
    parts = (_compared, _given, _search, _final, _statistics, _machine)
    return " ".join(sentence for part in parts for sentence in part(results, verdict)) + "\n"


def citations(paragraph: str) -> list[str]:
    """List the keys that a text cites."""
    return [key for keys in re.findall(r"\\cite\{([^}]+)\}", paragraph) for key in keys.split(",")]


def _compared(results: Results, verdict: Verdict) -> Iterator[str]:
    task, sweep = results.sweep.task, results.sweep
    named = [f"{_title(results, method)}{_cite(*papers(sweep, method))}" for method in sweep.methods]
    counts = results.provenance.get("data", {}).get("counts", {})
    documents = listed([f"{number(count)} {_SPLITS.get(split, split)}" for split, count in counts.items()])
    size = f" ({documents} documents)" if counts else ""
    model, data = text(model_title(task.model)), text(data_title(task.data))
    ways = "1 way" if len(named) == 1 else f"{number(len(named))} ways"
    yield f"We compared {ways} to fine-tune {model} on {data}{size}: {listed(named)}."


def _title(results: Results, method: str) -> str:
    """Name a method as its paper does, and a variant of it by its own name too."""
    base = results.sweep.base_of(method)
    title = re.split(r" \(\w|:", spaces.summary(base))[0].replace("³", "$^3$")
    title = title if "$" in title else text(title)
    return title if method == base else f"{title} ({code(method)})"


def _given(results: Results, verdict: Verdict) -> Iterator[str]:
    search = results.sweep.search
    sampler = get_sampler(search.sampler)
    amount = (
        f"{number(search.trials_per_method)} trials"
        if search.budget is None
        else f"{duration(search.budget.device_seconds_per_method)} of device time"
    )
    cited = _cite(*sampler.papers, "akiba2019optuna")
    yield (
        f"Each method was given {amount}, the first with its default configuration and the others with "
        f"hyperparameters from {text(sampler.summary)}{cited} in the ranges of "
        "Table~\\ref{tab:hyperparameters}."
    )


def _search(results: Results, verdict: Verdict) -> Iterator[str]:
    search, rungs = results.sweep.search, tables.rungs(results)
    epochs = f"{search.max_epochs:g} {'epoch' if search.max_epochs == 1 else 'epochs'}"
    full = f", {number(rungs[-1])} examples" if rungs else ""
    yield f"The full budget of a trial was {epochs}{full}."
    scored = (
        f"the validation split (at most {number(search.validation_samples)} documents)"
        if isinstance(search.validation_samples, int)
        else "the validation split"
    )
    cited = _cite(*metrics.papers(metrics.metric_of(results.sweep.task.metric)))
    metric = f"{text(metric_name(results))}{cited}"
    if search.scheduler == "none" or len(rungs) < 2:
        yield f"Trials were scored by {metric} on {scored} at the end of it, and none was stopped early."
        return
    yield (
        f"Trials were scored by {metric} on {scored} after {listed([number(rung) for rung in rungs])} "
        "examples, and ASHA~\\cite{li2018asha} stopped those not among the best "
        f"1/{search.reduction_factor} of their own method so far; methods did not compete with each other."
    )


def _final(results: Results, verdict: Verdict) -> Iterator[str]:
    task, seeds = results.sweep.task, results.sweep.final.seeds
    again = f"retrained with {number(seeds)} seeds" if seeds > 1 else "retrained once"
    documents = f"on {number(verdict.documents)} test documents" if verdict.documents else "on the test split"
    outputs = (
        "the most likely of the labels was taken as the output"
        if task.picks_labels
        else f"outputs were decoded greedily, at most {number(task.max_target_tokens)} tokens"
    )
    yield (
        "The trial of each method with the highest last score was then, with its hyperparameters and the "
        f"full budget, {again} and scored {documents}; {outputs}."
    )
    longest = number(task.max_source_tokens)
    yield f"In prompts of more than {longest} tokens the source was cut at its {task.truncation_side}."
    if not task.picks_labels and task.references and isinstance(task.target, list):
        yield f"A score is {_REFERENCES[task.references]} {number(len(task.target))} references."


def _statistics(results: Results, verdict: Verdict) -> Iterator[str]:
    if not verdict.methods:
        return
    what = "means over seeds" if results.sweep.final.seeds > 1 else "those of one seed"
    yield f"Scores are {what}, their 95\\,\\% intervals are over {verdict.intervals_over}."
    if verdict.pairs:
        yield (
            "Differences between methods were tested with documents and seeds both taken as drawn at random, "
            f"$p$ corrected {text(correction(verdict))}."
        )


def _machine(results: Results, verdict: Verdict) -> Iterator[str]:
    last = [record.rungs[-1] for record in results.records if record.rungs]
    devices = sorted({rung.accelerator.name for rung in last if rung.accelerator}) or ["CPUs"]
    precisions = sorted({rung.precision for rung in last if rung.precision})
    if last:
        computed = f", matrix products in {listed([*precisions])}" if precisions else ""
        spent = duration(tables.device_seconds(results).total)
        yield f"All of it took {spent} of device time on {text(listed([*devices]))}{computed}."
    versions = {"tuneoff": results.provenance.get("tuneoff"), **results.provenance.get("versions", {})}
    used = [f"{_version(package, versions)}{cited}" for package, cited in _PACKAGES.items()]
    yield f"We used {listed(used)}."


_PACKAGES = {
    "tuneoff": "~\\cite{tuneoff}",
    "ray": "~\\cite{liaw2018tune}",
    "transformers": "",
    "peft": "",
    "torch": "",
}


def _version(package: str, versions: Mapping[str, str | None]) -> str:
    return text(" ".join(filter(None, [package, versions.get(package)])))


def _cite(*keys: str) -> str:
    return f"~\\cite{{{','.join(keys)}}}" if keys else ""
