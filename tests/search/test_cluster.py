import re

import pytest

from search.cluster import Slots, connected, slots_on
from search.settings import Resources
from trainables.errors import InputError

DESK = {"CPU": 8.0, "memory": 1e10}
GPU_BOX = {"CPU": 16.0, "GPU": 4.0}


@pytest.mark.parametrize(
    ("machines", "resources", "expected"),
    [
        ([DESK], {}, Slots(cpus=1, gpus=0, concurrent=8)),
        ([DESK], {"cpus_per_trial": 3}, Slots(cpus=3, gpus=0, concurrent=2)),
        ([DESK], {"concurrent_trials": 5}, Slots(cpus=1, gpus=0, concurrent=5)),
        ([DESK], {"concurrent_trials": 50}, Slots(cpus=1, gpus=0, concurrent=8)),
        ([GPU_BOX], {}, Slots(cpus=1, gpus=1, concurrent=4)),
        ([GPU_BOX], {"cpus_per_trial": 8}, Slots(cpus=8, gpus=1, concurrent=2)),
        ([GPU_BOX], {"gpus_per_trial": 0.0}, Slots(cpus=1, gpus=0, concurrent=16)),
        ([GPU_BOX], {"gpus_per_trial": 0.5}, Slots(cpus=1, gpus=0.5, concurrent=8)),
        ([GPU_BOX], {"gpus_per_trial": 2.0}, Slots(cpus=1, gpus=2, concurrent=2)),
        ([GPU_BOX], {"gpus_per_trial": 3.0}, Slots(cpus=1, gpus=3, concurrent=1)),
        # 4 / 0.3 = 13, but a GPU holds three of them
        ([GPU_BOX], {"gpus_per_trial": 0.3}, Slots(cpus=1, gpus=0.3, concurrent=12)),
        # 6 / 4 = 1 twice, not 12 / 4 = 3: a trial does not spread
        ([{"CPU": 6.0}] * 2, {"cpus_per_trial": 4}, Slots(cpus=4, gpus=0, concurrent=2)),
        ([{"CPU": 4.0, "GPU": 1.0}] * 3, {}, Slots(cpus=1, gpus=1, concurrent=3)),
        # a machine without a GPU takes no part where trials have one
        ([DESK, GPU_BOX], {}, Slots(cpus=1, gpus=1, concurrent=4)),
        ([{"memory": 1.0}, DESK], {}, Slots(cpus=1, gpus=0, concurrent=8)),
    ],
)
def test_as_many_trials_as_the_machines_hold(machines, resources, expected):
    assert slots_on(machines, Resources(**resources)) == expected


@pytest.mark.parametrize(
    ("machines", "resources", "message"),
    [
        (
            [DESK],
            {"gpus_per_trial": 1.0},
            "resources.gpus_per_trial: a trial asks for 1 GPUs, but there are 0",
        ),
        ([DESK], {"cpus_per_trial": 9}, "resources.cpus_per_trial: a trial asks for 9 CPUs, there are 8"),
        # two machines with a GPU each do not make one with two
        ([{"CPU": 4.0, "GPU": 1.0}] * 2, {"gpus_per_trial": 2.0}, "asks for 2 GPUs, but there are 1 here"),
        ([DESK] * 3, {"cpus_per_trial": 16}, "asks for 16 CPUs, there are 8"),
        ([DESK, {"CPU": 2.0, "GPU": 1.0}], {"cpus_per_trial": 4}, "no machine here has both"),
        ([], {}, "asks for 1 CPUs, there are 0"),
    ],
)
def test_what_fits_on_no_machine_is_told_at_once(machines, resources, message):
    with pytest.raises(InputError, match=re.escape(message)):
        slots_on(machines, Resources(**resources))


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("127.0.0.1:1", "no Ray cluster answers there .*refused"),
        ("nowhere", "no Ray cluster answers there"),
        ("here:there", "no Ray cluster answers there"),
        ("ray://127.0.0.1:10001", "run tuneoff on a machine of the cluster"),
    ],
)
def test_an_address_without_a_cluster_is_told_at_once(address, message):
    with pytest.raises(InputError, match=f"--address {address}: .*{message}"), connected(address):
        pytest.fail("there is no such cluster")
