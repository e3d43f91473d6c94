"""The command line, with learning curves for training: what a test starts, interrupts and kills.

It is given the arguments of `tuneoff`.
"""

from functools import partial

from search import cli, runner
from tests.search.replay import Replay

if __name__ == "__main__":
    runner.run = partial(runner.run, trainable=Replay)
    cli.main()
