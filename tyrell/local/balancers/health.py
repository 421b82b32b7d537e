"""When a target is healthy: the states of a health check and the words AWS has for them; no clock and no socket.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tyrell.local.balancers.config import HealthCheck


@dataclass(frozen=True)
class Failure:
    """Why one check failed: the reason code and the description of DescribeTargetHealth."""

    reason: str
    description: str


TIMED_OUT = Failure("Target.Timeout", "Request timed out")
NO_ANSWER = Failure("Target.FailedHealthChecks", "Health checks failed")
REGISTERING = Failure("Elb.RegistrationInProgress", "Target registration is in progress")
FIRST_CHECKS = Failure("Elb.InitialHealthChecking", "Initial health checks in progress")


def judge(status: int, codes: str) -> Failure | None:
    """The failure that an HTTP `status` means under a matcher such as "200", "200,202" or "200-299"; None: passed."""
    ranges = [(first, last or first) for first, _, last in (part.strip().partition("-") for part in codes.split(","))]
    if any(int(first) <= status <= int(last) for first, last in ranges):
        return None
    return Failure("Target.ResponseCodeMismatch", f"Health checks failed with these codes: [{status}]")


class Health:
    """The health of one target.

    It starts `initial`; one passed check makes it healthy, `unhealthy_threshold` failed ones in a row make it
    unhealthy, and from then on `healthy_threshold` passed ones in a row make it healthy again.
    """

    def __init__(self) -> None:
        self.state: Literal["initial", "healthy", "unhealthy"] = "initial"
        self.failure: Failure | None = REGISTERING
        self._streak = 0

    def passed(self, check: HealthCheck) -> None:
        """Count a passed check."""
        self._streak = max(self._streak, 0) + 1
        if self.state == "initial" or self._streak >= check.healthy_threshold:
            self.state, self.failure = "healthy", None

    def failed(self, check: HealthCheck, failure: Failure) -> None:
        """Count a failed check."""
        self._streak = min(self._streak, 0) - 1
        if self.state == "unhealthy" or -self._streak >= check.unhealthy_threshold:
            self.state, self.failure = "unhealthy", failure
        elif self.state == "initial":
            self.failure = FIRST_CHECKS
