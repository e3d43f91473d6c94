"""The command `tuneoff doctor`; what it does is imported when it runs."""

import sys

from search.console.options import Address, is_elsewhere
from search.console.terminal import terminal


def doctor(address: Address = None) -> None:
    """Examine this machine, or each node of a cluster: could a sweep run there?

    Takes seconds, needs no sweep file, changes nothing. Looks at Python and
    packages, torch and GPUs, memory, disks, /dev/shm, open files, Ray, the hub.

    [bold]pass[/], [bold]warn[/] (a sweep runs, but not well) or [bold]fail[/] (it could not run);
    below stands what to do about it. Exit code 1 if anything failed, else 0.

    Begin here where a GPU is not used, a container is too small, or a node
    is unlike the others.
    """
    if is_elsewhere(address):
        from search.cluster import examine_cluster

        sys.exit(examine_cluster(address))
    from search.console.doctor_table import examine_and_print

    sys.exit(0 if examine_and_print(address, terminal()) else 1)
