"""What DescribeTargetHealth says of a target: moto's record and what the proxies saw, in the words of AWS.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tyrell.local.balancers.config import GroupState, TargetState
from tyrell.local.balancers.health import REGISTERING
from tyrell.local.balancers.pool import DRAINING

_NOT_REGISTERED = ("unused", "Target.NotRegistered", "Target is not registered to the target group")
_NOT_IN_USE = (
    "unused",
    "Target.NotInUse",
    "Target group is not configured to receive traffic from the load balancer",
)
_WORST_FIRST = ("unhealthy", "initial", "healthy")


class Observer:
    """One look at the targets of a group: moto's record of it, and what each load balancer that names it sees.

    `seen` is empty when no load balancer names the group; `instance_state` tells the state of a target's instance.
    """

    def __init__(self, group: Any, seen: list[GroupState | None], instance_state: Callable[[str], str]) -> None:
        self._group = group
        self._registered = dict(group.targets)
        self._draining = dict(group.deregistered_targets)
        self._seen = seen
        self._instance_state = instance_state

    @property
    def known(self) -> list[str]:
        """The ids of all targets that are registered or draining."""
        return [*self._registered, *self._draining]

    def describe(self, target_id: str) -> dict[str, Any]:
        """A TargetHealthDescription."""
        record = self._registered.get(target_id) or self._draining.get(target_id) or {"Port": self._group.port}
        port, check_port = int(record["Port"]), self._group.health_check_port
        state, reason, description = self._health(target_id)
        health = {"State": state, "Reason": reason, "Description": description}
        return {
            "Target": {"Id": target_id, "Port": port},
            "HealthCheckPort": str(port if check_port in (None, "traffic-port") else check_port),
            "TargetHealth": {key: value for key, value in health.items() if value is not None},
        }

    def _health(self, target_id: str) -> tuple[str, str | None, str | None]:
        if target_id in self._draining:
            return "draining", *DRAINING
        if target_id not in self._registered:
            return _NOT_REGISTERED
        if not self._seen:
            return _NOT_IN_USE
        instance_state = self._instance_state(target_id)
        if instance_state != "running":
            return "unused", "Target.InvalidState", f"Target is in the {instance_state} state"
        worst = min(
            (_state_in(group, target_id) for group in self._seen), key=lambda state: _WORST_FIRST.index(state.state)
        )
        return worst.state, worst.reason, worst.description


def _state_in(group: GroupState | None, target_id: str) -> TargetState:
    """What one proxy sees; a target it does not have, or still has as draining, is about to be registered with it."""
    seen = group.targets.get(target_id) if group else None
    if seen is None or seen.state in ("draining", "drained"):
        return TargetState(state="initial", reason=REGISTERING.reason, description=REGISTERING.description)
    return seen
