"""Check: the task's limits cut little."""

from collections.abc import Sequence
from random import Random

from trainables.data import Example
from trainables.preflight.checks._check import PreflightCheck
from trainables.preflight.findings import Finding
from trainables.workbench import Workbench

MEASURED = 500
"""Examples of a split whose tokens are counted."""
MOST_CUT = 0.05
"""Above this share the limits shape the scores."""


def lengths(bench: Workbench) -> Finding:
    """Measure the shares of sources and targets cut in training, and of references longer than generated."""
    encoder, task = bench.base.encoder, bench.task
    train = _some(bench.data.train, bench.data_seed)
    encoded = encoder.encode(train)
    scored = _some(bench.data.validation, bench.data_seed)
    references = encoder.targets([text for example in scored for text in example.references])
    cap = task.max_target_tokens
    figures = {
        "sources_cut_share": _share([tokens.source_cut > 0 for tokens in encoded]),
        "targets_cut_share": _share([tokens.target_cut > 0 for tokens in encoded]),
        "references_over_cap_share": _share([len(tokens) > cap for tokens in references]),
        "longest_source_tokens": max(len(tokens.source) + tokens.source_cut for tokens in encoded),
        "longest_reference_tokens": max(map(len, references)),
    }
    told = (
        f"cut at {task.max_source_tokens} tokens: {figures['sources_cut_share']:.1%} of sources; at {cap}: "
        f"{figures['targets_cut_share']:.1%} of targets; {figures['references_over_cap_share']:.1%} of "
        "references are longer than is generated"
    )
    limits = {
        "max_source_tokens": figures["sources_cut_share"],
        "max_target_tokens": max(figures["targets_cut_share"], figures["references_over_cap_share"]),
    }
    tight = [f"task.{limit}" for limit, share in limits.items() if share > MOST_CUT]
    if tight:
        return Finding("warn", f"{told}. Raise {' and '.join(tight)}.", figures)
    return Finding("pass", told, figures)


CHECK = PreflightCheck(name="lengths", order=100, ask=lambda probe: lengths(probe.bench), always=True)


def _some(examples: Sequence[Example], seed: int) -> list[Example]:
    return Random(f"{seed}/lengths").sample(list(examples), min(MEASURED, len(examples)))


def _share(facts: Sequence[bool]) -> float:
    return sum(facts) / len(facts)
