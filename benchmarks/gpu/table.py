"""A part's figures as lines for the terminal; the JSON has them all."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from trainables.amounts import duration, prefixed, quantity, size

Figures = dict[str, Any]


def lines(name: str, answer: Figures) -> Iterator[str]:
    """The name of a part, how long it took, and what it found or why it failed."""
    yield f"\n{name} ({duration(answer['seconds'])})"
    if "error" in answer:
        yield from (f"  failed: {line}" for line in answer["error"].splitlines())
        return
    draw = next(draw for start, draw in DRAWN.items() if name.startswith(start))
    yield from (f"  {line}" for line in draw(answer["figures"]))


def _doctor(figures: Figures) -> Iterable[str]:
    wrong = [each for each in figures["findings"] if each["verdict"] != "pass"]
    yield from (f"{each['verdict']} {each['name']}: {each['message']}" for each in wrong)
    yield f"{len(figures['findings']) - len(wrong)} of {len(figures['findings'])} findings pass"


def _device(figures: Figures) -> Iterable[str]:
    device = figures["device"]
    gpus = [f"{gpu['name']}, {size(gpu['total_bytes'])}" for gpu in device["gpus"]]
    yield f"{'; '.join(gpus) or 'CPU'}; torch {device['torch']}; {figures['driver']}"
    for dtype, reached in figures["matrix products, FLOP/s"].items():
        yield f"{dtype:<5}{prefixed(reached)}FLOP/s on matrix products"


def _checks(figures: Figures) -> Iterable[str]:
    for method, findings in figures["methods"].items():
        wrong = [check for check in findings["checks"] if check["verdict"] != "pass"]
        took = sum(check["seconds"] for check in findings["checks"])
        told = "; ".join(f"{check['verdict']} {check['name']}: {check['message']}" for check in wrong)
        yield f"{method:<16}{duration(took):>6}  {told or 'passed'}"


def _training(figures: Figures) -> Iterable[str]:
    for side, found in figures["sides"].items():
        share = found["share_of_peak"]
        yield (
            f"{side:<16}{quantity(found['examples_per_second']):>8} examples/s"
            f"{'-' if share is None else f'{100 * share:.1f}':>8} % of peak"
            f"{size(found['peak_bytes']):>12}{quantity(found['joules_per_example']):>8} J an example"
        )
    yield f"predicted {size(figures['predicted_peak_bytes'])}, {figures['precision']}"


def _generation(figures: Figures) -> Iterable[str]:
    yield f"{quantity(figures['tokens_per_second'])} tokens/s, {figures['precision']}"


def _sharing(figures: Figures) -> Iterable[str]:
    for how in ("without MPS", "with MPS"):
        found = figures[how]
        if isinstance(found, str):
            yield f"{how}: {found}"
            continue
        for count, answer in found.items():
            told = "".join(f"; failed: {error}" for error in answer["errors"])
            yield f"{how:<12}{count} processes{quantity(answer['examples_per_second']):>8} examples/s{told}"


def _out_of_memory(figures: Figures) -> Iterable[str]:
    yield from (f"{name.replace('_', ' ')}: {found}" for name, found in figures.items() if name != "limited")
    limited = figures["limited"]
    yield f"limited: {limited if isinstance(limited, str) else limited['micro_batches']}"


def _determinism(figures: Figures) -> Iterable[str]:
    for method, found in figures.items():
        told = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in found.items())
        yield f"{method:<16}{told}"


DRAWN: dict[str, Callable[[Figures], Iterable[str]]] = {
    "doctor": _doctor,
    "device": _device,
    "checks": _checks,
    "training": _training,
    "generation": _generation,
    "sharing": _sharing,
    "out of memory": _out_of_memory,
    "determinism": _determinism,
}
"""By how the names of parts begin."""
