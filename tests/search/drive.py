"""The command line, with learning curves for training: what a test starts, interrupts and kills.

It is given the arguments of `tuneoff`.
"""

import signal
from functools import partial

from search import cli, runner
from tests.search.replay import Replay

if __name__ == "__main__":
    # A shell starts its background jobs deaf to Ctrl-C, and the test may run in one.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    runner.run = partial(runner.run, trainable=Replay)
    cli.main()
