"""What DescribeTargetHealth says when several load balancers, or none, see a target."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tyrell.local.balancers.config import GroupState, TargetState
from tyrell.local.balancers.target_health import Observer

SEEN = {
    "healthy": TargetState(state="healthy"),
    "initial": TargetState(state="initial", reason="Elb.InitialHealthChecking", description="..."),
    "unhealthy": TargetState(state="unhealthy", reason="Target.Timeout", description="Request timed out"),
    "drained": TargetState(state="drained", reason="Target.DeregistrationInProgress", description="..."),
}


def seen(state: str | None) -> GroupState | None:
    """What one load balancer sees of the target "i-1"; None: it does not answer yet."""
    if state is None:
        return None
    targets = {"i-1": SEEN[state]}
    return GroupState(targets=targets)


def health(*states: str | None, target: str = "i-1", instance: str = "running") -> tuple[str, str | None]:
    """State and reason of a target of a group in which "i-1" is registered and "i-2" draining."""
    record = {"Id": "i-1", "Port": 80}
    group = SimpleNamespace(
        targets={"i-1": record}, deregistered_targets={"i-2": record}, port=80, health_check_port=None
    )
    description = Observer(group, [seen(state) for state in states], lambda _: instance).describe(target)
    return description["TargetHealth"]["State"], description["TargetHealth"].get("Reason")


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ((), ("unused", "Target.NotInUse")),
        (("healthy",), ("healthy", None)),
        (("healthy", "unhealthy"), ("unhealthy", "Target.Timeout")),
        (("initial", "unhealthy", "healthy"), ("unhealthy", "Target.Timeout")),
        (("healthy", "initial"), ("initial", "Elb.InitialHealthChecking")),
        (("healthy", None), ("initial", "Elb.RegistrationInProgress")),
        (("drained",), ("initial", "Elb.RegistrationInProgress")),
    ],
)
def test_between_load_balancers_the_worst_state_wins(
    states: tuple[str | None, ...], expected: tuple[str, str | None]
) -> None:
    assert health(*states) == expected


def test_a_target_that_is_not_registered_draining_or_not_running_says_so() -> None:
    assert health("healthy", target="i-2") == ("draining", "Target.DeregistrationInProgress")
    assert health("healthy", target="i-3") == ("unused", "Target.NotRegistered")
    assert health("healthy", instance="stopped") == ("unused", "Target.InvalidState")
