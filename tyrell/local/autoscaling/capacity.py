"""A group's size: its bounds, where new instances go and which ones leave.

Instances are spread over the group's subnets. Groups are not rebalanced by themselves (process AZRebalance): an
uneven group becomes even as instances come and go.
https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-termination-policies.html
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Set
from datetime import datetime

from tyrell.local.autoscaling import actions as do
from tyrell.local.autoscaling.causes import at, joined
from tyrell.local.autoscaling.errors import ValidationError
from tyrell.local.autoscaling.records import Group, Member
from tyrell.local.autoscaling.states import COUNTED

Key = Callable[[Group, Member], tuple[float, ...]]


def resize(group: Group, minimum: int | None, maximum: int | None, desired: int | None) -> None:
    """Change the bounds and the desired capacity; None leaves a number as it is.

    A desired capacity that is not given moves into the new bounds; one that is given must lie within them.
    ValidationError when it does not, or when the bounds contradict each other; the group is then as before.
    """
    low = group.minimum if minimum is None else minimum
    high = group.maximum if maximum is None else maximum
    check_bounds(low, high)
    wanted = min(max(group.desired, low), high) if desired is None else desired
    check_desired(wanted, low, high)
    group.minimum, group.maximum, group.desired = low, high, wanted


def check_bounds(low: int, high: int) -> None:
    """ValidationError when the bounds are negative or crossed."""
    if low < 0 or high < 0:
        raise ValidationError("Min and max size of an AutoScalingGroup must not be negative")
    if high < low:
        raise ValidationError(f"Max bound, {high}, must be greater than or equal to min bound, {low}")


def check_desired(desired: int, low: int, high: int) -> None:
    """ValidationError when the desired capacity is outside the bounds."""
    if not low <= desired <= high:
        raise ValidationError(
            f"Desired capacity:{desired} must be between the specified min size:{low} and max size:{high}"
        )


def is_met(group: Group) -> bool:
    """Whether the group has as many instances as desired, in service or on their way there."""
    return sum(member.state in COUNTED for member in group.members.values()) == group.desired


def towards_desired(group: Group, taken_out: Set[str], now: datetime) -> list[do.Action]:
    """Launches or scale-in, as the group needs and its processes allow; `taken_out` are about to leave anyway."""
    counted = [m for m in group.members.values() if m.state in COUNTED and m.instance_id not in taken_out]
    missing = group.desired - len(counted)
    if group.deleting or missing == 0:
        return []
    if missing < 0:
        return _scale_in(group, counted, -missing, now) if group.allows("Terminate") else []
    if not group.allows("Launch") or (group.retry_at and now < group.retry_at):
        return []
    return _scale_out(group, counted, missing, now)


def _scale_out(group: Group, counted: list[Member], missing: int, now: datetime) -> list[do.Action]:
    cause = joined(group.reason, at(now, _why_launched(group, counted)))
    load = Counter(dict.fromkeys(group.subnets, 0))
    load.update(member.subnet for member in counted if member.subnet in load)
    launches: list[do.Action] = []
    for _ in range(missing):
        emptiest = min(group.subnets, key=lambda subnet: load[subnet])
        load[emptiest] += 1
        launches.append(do.Launch(emptiest, cause))
    return launches


def _why_launched(group: Group, counted: list[Member]) -> str:
    replaces = any(not member.healthy for member in group.members.values() if member not in counted)
    if replaces and not group.reason:
        return "an instance was launched in response to an unhealthy instance needing to be replaced."
    return (
        "an instance was started in response to a difference between desired and actual capacity, "
        f"increasing the capacity from {len(counted)} to {group.desired}."
    )


def _scale_in(group: Group, counted: list[Member], surplus: int, now: datetime) -> list[do.Action]:
    shrinking = at(
        now,
        "an instance was taken out of service in response to a difference between desired and actual capacity, "
        f"shrinking the capacity from {len(counted)} to {group.desired}.",
    )
    return [
        do.TakeOut(
            member.instance_id,
            joined(group.reason, shrinking, at(now, f"instance {member.instance_id} was selected for termination.")),
        )
        for member in victims(group, counted, surplus)
    ]


def victims(group: Group, counted: list[Member], surplus: int) -> list[Member]:
    """Which instances to take out: from the fullest subnet that has an unprotected one, then by the group's policy.

    The first policy of several decides: with the times of launch in it there is hardly ever a tie.
    """
    load = Counter(member.subnet for member in counted)
    free = [member for member in counted if not member.protected]
    policy = _POLICIES[group.termination_policies[0]]
    chosen: list[Member] = []
    while free and len(chosen) < surplus:
        victim = min(free, key=lambda member: (-load[member.subnet], *policy(group, member)))
        free.remove(victim)
        load[victim.subnet] -= 1
        chosen.append(victim)
    return chosen


def _oldest(_: Group, member: Member) -> tuple[float, ...]:
    return (member.launched.timestamp(),)


def _newest(_: Group, member: Member) -> tuple[float, ...]:
    return (-member.launched.timestamp(),)


def _oldest_template(group: Group, member: Member) -> tuple[float, ...]:
    """Another launch template than the group's comes first, then its oldest version, then the oldest instance."""
    return (member.template.id == group.template.id, int(member.template.version), member.launched.timestamp())


_POLICIES: dict[str, Key] = {
    "Default": _oldest_template,
    "OldestLaunchTemplate": _oldest_template,
    "OldestInstance": _oldest,
    "NewestInstance": _newest,
}
TERMINATION_POLICIES = frozenset(_POLICIES)
