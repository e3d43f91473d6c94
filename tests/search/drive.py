"""The command line, with learning curves for training: what a test starts, interrupts and kills.

It is given the arguments of `tuneoff`. With DIE_AT_RECORD=N in its environment it is killed while it writes
its N-th record, before the file is renamed or, with DIE_AFTER=1, just after that.
"""

import os
import signal
from functools import partial
from itertools import count
from pathlib import Path

from search import engine
from search.console import app as cli
from search.records import run_folder as store
from tests.search.replay import Replay

_written = count(1)


def _die_while_writing(path: Path, text: str) -> None:
    is_record = "trials" in path.parts or path.name == "record.json"
    if not is_record or next(_written) != int(os.environ["DIE_AT_RECORD"]):
        _write_text(path, text)
        return
    if "DIE_AFTER" in os.environ:
        _write_text(path, text)
    else:
        (path.parent / f".{path.name}.half").write_text(text[: len(text) // 2])
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    # A shell starts its background jobs deaf to Ctrl-C, and the test may run in one.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if "DIE_AT_RECORD" in os.environ:
        _write_text, store.write_text = store.write_text, _die_while_writing
    engine.run = partial(engine.run, trainable=Replay)
    cli.main()
