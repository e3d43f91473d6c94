"""How inputs are made up: the same ones each time, so that a failure here is a failure anywhere."""

from hypothesis import HealthCheck, settings

FUZZED = settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
