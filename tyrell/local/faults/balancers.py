"""Load balancers that see no health."""

from __future__ import annotations

from tyrell.local.balancers.config import Balancer
from tyrell.local.faults.switches import Switches

NOBODY_LISTENS = 1
"""tcpmux: no machine has it. As when a security group lets requests through, but no checks."""


def without_health(balancer: Balancer, switches: Switches) -> Balancer:
    """The load balancer with health checks that reach nobody, in the target groups that a fault names."""
    groups = {
        arn: group.model_copy(update={"health_check": group.health_check.model_copy(update={"port": NOBODY_LISTENS})})
        if switches.hides_health(group.name)
        else group
        for arn, group in balancer.target_groups.items()
    }
    return balancer.model_copy(update={"target_groups": groups})
