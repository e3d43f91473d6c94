import re

import pytest

from search.cluster.placement import CONTEXT_BYTES, Slots, capacity, fitting, packed, slots_on, unpacked
from search.config.resources import Resources
from trainables.errors import InputError

GIB = 2**30
DESK = {"CPU": 8.0, "memory": 1e10}
GPU_BOX = {"CPU": 16.0, "GPU": 4.0}
L4 = {"CPU": 8.0, "GPU": 1.0, "accelerator_type:L4": 1.0}
A100 = {"CPU": 8.0, "GPU": 1.0, "accelerator_type:A100": 1.0}


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
        # 4 / 0.3 = 13, but a GPU holds three of them
        ([GPU_BOX], {"gpus_per_trial": 0.3}, Slots(cpus=1, gpus=0.3, concurrent=12)),
        # 6 / 4 = 1 twice, not 12 / 4 = 3: a trial does not spread
        ([{"CPU": 6.0}] * 2, {"cpus_per_trial": 4}, Slots(cpus=4, gpus=0, concurrent=2)),
        ([{"CPU": 4.0, "GPU": 1.0}] * 3, {}, Slots(cpus=1, gpus=1, concurrent=3)),
        # a machine without a GPU takes no part where trials have one
        ([DESK, GPU_BOX], {}, Slots(cpus=1, gpus=1, concurrent=4)),
        ([{"memory": 1.0}, DESK], {}, Slots(cpus=1, gpus=0, concurrent=8)),
        ([L4, A100, A100], {"accelerator_type": "A100"}, Slots(1, 1, 2, "A100")),
        ([L4, A100], {"accelerator_type": "L4", "gpus_per_trial": 0.25}, Slots(1, 0.25, 4, "L4")),
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
        ([DESK] * 3, {"cpus_per_trial": 16}, "asks for 16 CPUs, there are 8"),
        ([DESK, {"CPU": 2.0, "GPU": 1.0}], {"cpus_per_trial": 4}, "no machine here has both"),
        ([], {}, "asks for 1 CPUs, there are 0"),
        (
            [L4, A100],
            {"accelerator_type": "H100"},
            "no machine here has a GPU of type H100. Types here: A100, L4.",
        ),
        ([DESK], {"accelerator_type": "L4"}, "Types here: none."),
    ],
)
def test_what_fits_on_no_machine_is_told_at_once(machines, resources, message):
    with pytest.raises(InputError, match=re.escape(message)):
        slots_on(machines, Resources(**resources))


def test_a_trial_asks_ray_for_what_it_is_given_and_for_nothing_of_which_it_has_none():
    assert Slots(2, 0, 1).bundle == {"CPU": 2}
    assert Slots(2, 0.25, 1, "L4").bundle == {"CPU": 2, "GPU": 0.25, "accelerator_type:L4": 0.001}


def test_room_shrinks_and_grows_with_the_machines():
    slots = Slots(1, 1, 4)
    assert [capacity(machines, slots) for machines in ([GPU_BOX], [], [DESK], [GPU_BOX, L4])] == [4, 0, 0, 5]
    assert capacity([L4, A100], Slots(1, 0.5, 2, "L4")) == 2


@pytest.mark.parametrize(
    ("peak", "room", "expected"),
    [
        # 4 GiB and a quarter more, and a context: two in 24 GiB take 11.2 GiB, four 22.3, five 27.9
        (4 * GIB, 24 * GIB - CONTEXT_BYTES, 4),
        (4 * GIB, 40 * GIB, 7),
        (30 * GIB, 24 * GIB, 1),
        (20 * GIB, 39 * GIB, 1),
        (0, 6 * CONTEXT_BYTES, 7),
    ],
)
def test_trials_share_a_gpu_as_their_peaks_with_a_margin_allow(peak, room, expected):
    assert fitting(peak, room) == expected
    together = expected * (1.25 * peak + CONTEXT_BYTES)
    assert expected == 1 or together <= room + CONTEXT_BYTES
    assert together + 1.25 * peak + CONTEXT_BYTES > room + CONTEXT_BYTES


SMALL, LARGE = (
    {"peak_bytes": 2 * GIB, "room_bytes": 22 * GIB},
    {"peak_bytes": 5 * GIB, "room_bytes": 22 * GIB},
)


@pytest.mark.parametrize(
    ("machines", "resources", "figures", "gpus", "concurrent"),
    [
        # the method that takes most decides: 22.6 / 6.8 = 3 a GPU
        ([GPU_BOX], {}, [SMALL, LARGE], 0.3333, 12),
        ([GPU_BOX, DESK], {}, [LARGE], 0.3333, 12),
        # 22.6 / 3.1 = 7 by memory, but a GPU has its share of 4 CPUs
        ([GPU_BOX], {}, [SMALL], 0.25, 16),
        ([GPU_BOX], {"cpus_per_trial": 2}, [SMALL], 0.5, 8),
        ([GPU_BOX], {"concurrent_trials": 5}, [SMALL], 0.25, 5),
        ([GPU_BOX], {"cpus_per_trial": 4}, [SMALL], 1, 4),
        ([L4, GPU_BOX], {}, [SMALL], 0.25, 20),
        ([L4, A100], {"accelerator_type": "L4"}, [SMALL], 0.1428, 7),
        ([{"CPU": 96.0, "GPU": 1.0}], {}, [{"peak_bytes": GIB // 8, "room_bytes": 80 * GIB}], 0.125, 8),
        # said in the sweep, unknown, or on the CPU: as it is
        ([GPU_BOX], {"gpus_per_trial": 1.0}, [SMALL], 1, 4),
        ([GPU_BOX], {"gpus_per_trial": 0.5}, [SMALL], 0.5, 8),
        ([GPU_BOX], {}, [{}], 1, 4),
        ([GPU_BOX], {}, [], 1, 4),
        ([DESK], {}, [SMALL], 0, 8),
    ],
)
def test_auto_packs_trials_by_what_the_gates_measured(machines, resources, figures, gpus, concurrent):
    wanted = Resources(**resources)
    found = packed(slots_on(machines, wanted), machines, wanted, figures)
    assert (found.gpus, found.concurrent) == (gpus, concurrent)


@pytest.mark.parametrize(("smallest", "on_one"), [(None, 6), (80 * GIB, 6), (96 * GIB, 6), (24 * GIB, 1)])
def test_what_was_measured_for_a_large_gpu_is_not_packed_on_a_small_one(smallest, on_one):
    """As in a sweep that began on an A100, and goes on where there is an L4 too."""
    machines, wanted = [{**L4, "CPU": 64.0}, {**A100, "CPU": 64.0}], Resources()
    figure = {"peak_bytes": 9 * GIB, "room_bytes": 75 * GIB, "gpu_bytes": 80 * GIB}
    found = packed(slots_on(machines, wanted), machines, wanted, [figure], smallest)
    assert found.concurrent == 2 * on_one


@pytest.mark.parametrize(
    ("machines", "resources", "slots", "expected"),
    [
        ([GPU_BOX], {}, Slots(1, 0.25, 16), Slots(1, 1, 4)),
        ([GPU_BOX], {"concurrent_trials": 3}, Slots(1, 0.25, 3), Slots(1, 1, 3)),
        ([GPU_BOX], {}, Slots(1, 1, 4), Slots(1, 1, 4)),
        ([DESK], {}, Slots(1, 0, 8), Slots(1, 0, 8)),
    ],
)
def test_what_needs_a_whole_gpu_has_one_to_itself(machines, resources, slots, expected):
    assert unpacked(slots, machines, Resources(**resources)) == expected
