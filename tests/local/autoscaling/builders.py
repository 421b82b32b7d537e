"""Records for tests of the pure decision: a group, its instances, and what was seen of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tyrell.local.autoscaling.observed import Seen, Target
from tyrell.local.autoscaling.records import Activity, Group, Member, Template
from tyrell.local.autoscaling.states import State

NOW = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)
TEMPLATE = Template("lt-1", "machine", "2")


def a_member(number: int = 1, state: State = State.IN_SERVICE, subnet: str = "subnet-a", **more: Any) -> Member:
    """Instance `i-<number>`, launched that many minutes before NOW and long in service."""
    launched = NOW - timedelta(minutes=number)
    member = Member(
        f"i-{number}",
        subnet,
        "us-east-1a",
        "t3.small",
        "ami-1",
        TEMPLATE,
        launched,
        Activity(f"Launching a new EC2 instance: i-{number}", "because", launched),
        state,
        in_service_since=launched,
    )
    return replace(member, **more)


def a_group(*members: Member, **more: Any) -> Group:
    """A group over two subnets that wants exactly the members it has, unless `more` says otherwise."""
    group = Group(
        "workers",
        "arn:workers",
        NOW,
        TEMPLATE,
        minimum=0,
        maximum=9,
        desired=len(members),
        subnets=("subnet-a", "subnet-b"),
        zones=("us-east-1a",),
        members={member.instance_id: member for member in members},
    )
    return replace(group, **more)


def seen(*members: Member, state: str = "running", target: Target | None = None) -> Seen:
    """All these instances in that EC2 state, and each in that target health."""
    targets = {member.instance_id: (target,) for member in members} if target else {}
    return Seen({member.instance_id: state for member in members}, targets)
