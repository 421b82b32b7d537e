"""The lifecycle states of an instance in a group, and what they have in common."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Lifecycle states, in AWS's words.

    https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html
    """

    PENDING = "Pending"
    PENDING_WAIT = "Pending:Wait"
    IN_SERVICE = "InService"
    ENTERING_STANDBY = "EnteringStandby"
    STANDBY = "Standby"
    TERMINATING = "Terminating"
    TERMINATING_WAIT = "Terminating:Wait"
    TERMINATING_PROCEED = "Terminating:Proceed"


COUNTED = frozenset({State.PENDING, State.PENDING_WAIT, State.IN_SERVICE})
"""The states that count towards the desired capacity."""
STARTING = frozenset({State.PENDING, State.PENDING_WAIT})
MOVING = frozenset({State.PENDING, State.ENTERING_STANDBY, State.TERMINATING, State.TERMINATING_PROCEED})
"""The states that go on by themselves, as soon as EC2 or a load balancer has done its part."""
LEAVING = frozenset({State.TERMINATING, State.TERMINATING_WAIT, State.TERMINATING_PROCEED})
