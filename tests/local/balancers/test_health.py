"""The states a target goes through under a series of checks; each case is one row: p passed, f failed."""

from __future__ import annotations

import pytest

from tyrell.local.balancers.config import HealthCheck
from tyrell.local.balancers.health import NO_ANSWER, Failure, Health, judge

CHECK = HealthCheck(path="/", port=None, interval=5, timeout=2, healthy_threshold=3, unhealthy_threshold=2, codes="200")

SERIES = [
    ("", "initial", "Elb.RegistrationInProgress"),
    ("f", "initial", "Elb.InitialHealthChecking"),
    ("p", "healthy", None),
    ("fp", "healthy", None),
    ("ff", "unhealthy", "Target.FailedHealthChecks"),
    ("pf", "healthy", None),
    ("pfpf", "healthy", None),
    ("pff", "unhealthy", "Target.FailedHealthChecks"),
    ("ffpp", "unhealthy", "Target.FailedHealthChecks"),
    ("ffppfpp", "unhealthy", "Target.FailedHealthChecks"),
    ("ffppp", "healthy", None),
    ("ffpppf", "healthy", None),
    ("ffpppff", "unhealthy", "Target.FailedHealthChecks"),
]


@pytest.mark.parametrize(("series", "state", "reason"), SERIES)
def test_a_series_of_checks_ends_in_the_state_of_the_user_guide(series: str, state: str, reason: str | None) -> None:
    health = Health()
    for check in series:
        if check == "p":
            health.passed(CHECK)
        else:
            health.failed(CHECK, NO_ANSWER)
    assert health.state == state
    assert (health.failure.reason if health.failure else None) == reason


def test_an_unhealthy_target_is_described_by_its_latest_failure() -> None:
    health = Health()
    for code in (500, 500, 404):
        health.failed(CHECK, judge(code, "200") or NO_ANSWER)
    assert health.failure == Failure("Target.ResponseCodeMismatch", "Health checks failed with these codes: [404]")


@pytest.mark.parametrize(
    ("status", "codes", "passes"),
    [
        (200, "200", True),
        (204, "200", False),
        (204, "200-299", True),
        (300, "200-299", False),
        (302, "200,302", True),
        (404, "200-299,404", True),
        (301, "200,302", False),
    ],
)
def test_a_matcher_is_a_list_of_codes_and_ranges(status: int, codes: str, passes: bool) -> None:
    assert (judge(status, codes) is None) is passes
