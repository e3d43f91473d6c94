"""What a GPU does with tuneoff: ten minutes, a table here, and one JSON file to send back.

    python -m benchmarks.gpu [--quick] [--parts checks sharing ...] [--json FILE]

Preflight checks of all methods; training beside a Seq2SeqTrainer (examples a second, the device's share of
what it reaches on matrix products, memory predicted and measured, joules); generation; several processes on
one GPU, with and without MPS; out of memory and what follows; the same seed twice. Models have random weights
in the shapes of known ones, so nothing is downloaded. A part that fails is written down with its error, and
the next goes on. --quick asks it all of models so small that a CPU does: figures mean nothing then.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import measure
from benchmarks.gpu.parts import PART_SECONDS, PARTS, PREPARATION, isolated
from benchmarks.gpu.table import lines


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gpu",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="tiny models, three methods: to try the program")
    parser.add_argument(
        "--parts",
        nargs="+",
        choices=PARTS,
        default=list(PARTS),
        metavar="PART",
        help=f"only these of: {', '.join(PARTS)}",
    )
    parser.add_argument("--seconds", type=float, default=PART_SECONDS, help="the most that a part may take")
    parser.add_argument("--json", type=Path, default=Path("build/bench/gpu.json"), help="where figures go")
    options = parser.parse_args(arguments)
    found = {}
    with TemporaryDirectory(prefix="tuneoff-") as folder:
        for name in (part for part in PARTS if part in {PREPARATION, *options.parts}):
            found[name] = isolated(name, Path(folder), quick=options.quick, seconds=options.seconds)
            sys.stdout.write("\n".join(lines(name, found[name])) + "\n")
            sys.stdout.flush()
            measure.write(options, {"parts": found})  # also where this is interrupted
    measured = sum("figures" in answer for answer in found.values())
    sys.stdout.write(f"\n{measured} parts of {len(found)} were measured; the file to send: {options.json}\n")


if __name__ == "__main__":
    main()
