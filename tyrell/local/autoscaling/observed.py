"""What was seen of a group's instances, and what follows for one of them: is it sick, is it still drained?

https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-health-checks.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tyrell.local.autoscaling.records import Group, Member

ALIVE = frozenset({"pending", "running"})


@dataclass(frozen=True)
class Target:
    """The health of one instance in one target group, as DescribeTargetHealth told it."""

    target_group: str
    state: str
    description: str = ""


@dataclass(frozen=True)
class Seen:
    """What was observed, by instance id; an id that `states` does not have is an instance that is gone."""

    states: Mapping[str, str]
    targets: Mapping[str, tuple[Target, ...]] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    """Why EC2 says instances that died at launch are in their state."""

    def alive(self, instance_id: str) -> bool:
        """Whether EC2 has the instance, pending or running."""
        return self.states.get(instance_id) in ALIVE


def sickness(group: Group, member: Member, seen: Seen, now: datetime) -> str:
    """Which health check the instance in service fails, in AWS's words; empty when it fails none.

    EC2's own check has no grace period; the load balancer's counts once the grace period is over.
    """
    if seen.states.get(member.instance_id) != "running":
        return "an EC2 health check indicating it has been terminated or stopped"
    if group.health_check == "EC2" or in_grace_period(group, member, now):
        return ""
    for target in seen.targets.get(member.instance_id, ()):
        if target.state == "unhealthy" and target.target_group in group.target_groups:
            return f"an ELB system health check failure ({target.description or 'target is unhealthy'})"
    return ""


def in_grace_period(group: Group, member: Member, now: datetime) -> bool:
    """Whether the instance came into service less than the group's health check grace period ago."""
    since = member.in_service_since
    return since is None or now < since + timedelta(seconds=group.grace_seconds)


def still_draining(member: Member, seen: Seen, now: datetime) -> bool:
    """Whether a target group still finishes requests on the live instance, within its deregistration delay."""
    if member.drained_by is None or now >= member.drained_by or not seen.alive(member.instance_id):
        return False
    targets = seen.targets.get(member.instance_id, ())
    return any(target.state == "draining" and target.target_group in member.draining for target in targets)
