import pytest

from search.cluster.connection import Cluster, connected
from search.cluster.placement import Slots
from search.config.resources import Resources
from trainables.errors import InputError


def test_a_number_of_trials_that_the_sweep_names_is_what_a_joined_cluster_grows_for():
    assert Cluster(is_joined=True, watch=None).room(Slots(1, 1, 2), Resources(concurrent_trials=8))() == 8


def test_workers_are_handed_what_they_cannot_inherit_and_nothing_else(monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "planted")
    monkeypatch.setenv("OTHER_TOKEN", "planted")
    monkeypatch.delenv("AWS_REGION", raising=False)
    assert Cluster(is_joined=False, watch=None).environment() == {}
    given = Cluster(is_joined=True, watch=None).environment()
    assert given["HF_TOKEN"] == "planted"
    assert not {"OTHER_TOKEN", "AWS_REGION"} & set(given)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("127.0.0.1:1", "no Ray cluster answers there .*refused"),
        ("nowhere", "no Ray cluster answers there"),
        ("here:there", "no Ray cluster answers there"),
        ("http://127.0.0.1:8265", "a call from Python joins at auto or HOST:PORT, .* `tuneoff run SWEEP"),
    ],
)
def test_an_address_without_a_cluster_is_told_at_once(address, message):
    with pytest.raises(InputError, match=f"--address {address}: .*{message}"), connected(address):
        pytest.fail("there is no such cluster")
