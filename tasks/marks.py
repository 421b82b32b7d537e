"""What is remembered of a version, where it can be seen: tags of its group, and in etcd which ones are bad."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta

from tasks.clients import autoscaling
from tasks.core_services import find_etcd
from tasks.errors import LockLost, UsageError
from tasks.etcd import delete, put
from tasks.groups import find_group, find_groups
from tasks.locks import Lock, check_held
from tasks.model import Changes, Group, Version
from tasks.steps import step

logger = logging.getLogger(__name__)

PINNED = "tyrell:pinned"
LEFT = "tyrell:left"
"""When it gave all its traffic to another version; only one that had served well gets this tag."""
HOT_UNTIL = "tyrell:hot-until"
"""Until when it stays up to take the traffic back."""
BAD = "/tyrell/bad/"
SUSPENDED = ("ScheduledActions", "AZRebalance", "AlarmNotification")
"""Who else would change a group's size while one version replaces another.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-suspend-resume-processes.html
"""


def _tag(group: Group, values: dict[str, str]) -> None:
    autoscaling().create_or_update_tags(
        Tags=[
            {
                "ResourceId": group.name,
                "ResourceType": "auto-scaling-group",
                "Key": key,
                "Value": value,
                "PropagateAtLaunch": False,
            }
            for key, value in values.items()
        ]
    )


def _untag(group: Group, *keys: str) -> None:
    present = [key for key in keys if key in group.tags]
    if present:
        autoscaling().delete_tags(
            Tags=[{"ResourceId": group.name, "ResourceType": "auto-scaling-group", "Key": key} for key in present]
        )


def _pinned(group: Group) -> dict[str, str]:
    return dict(each.split("=", 1) for each in group.tags.get(PINNED, "").split())


def pinned_for(group: Group) -> str:
    """The id of the version that was to replace it, or that it was to be, when its size was pinned; else empty."""
    return _pinned(group).get("to", "")


def pinned_size(group: Group) -> int:
    """How many machines it had when its size was pinned; as many as now when it is not."""
    return int(_pinned(group).get("size", group.desired))


@step("hold the size of {group.version.role} {group.version.id}", system="autoscaling")
def pin(group: Group, to: str, *, hold: bool = True) -> None:
    """Let no schedule, alarm or rebalancing touch the group, and with `hold` keep it at least as large as it is now.

    What it was before is written to a tag first, so that whoever comes later can restore it.
    """
    if group.tags.get(PINNED) and pinned_for(group) != to:  # by an upgrade that died: what was before is as it says
        _tag(group, {PINNED: group.tags[PINNED].replace(f"to={pinned_for(group)} ", f"to={to} ", 1)})
    elif PINNED not in group.tags:
        ours = [process for process in SUSPENDED if process not in group.suspended]
        _tag(group, {PINNED: f"to={to} min={group.min} size={group.desired} suspended={'+'.join(ours)}"})
    if running := [process for process in SUSPENDED if process not in group.suspended]:
        autoscaling().suspend_processes(AutoScalingGroupName=group.name, ScalingProcesses=running)
    if hold and group.min != group.desired:
        autoscaling().update_auto_scaling_group(AutoScalingGroupName=group.name, MinSize=group.desired)


@step("let go of the size of {group.version.role} {group.version.id}", system="autoscaling")
def unpin(group: Group) -> None:
    """Restore what `pin` changed; nothing to do is fine."""
    if PINNED not in group.tags:
        return
    before = _pinned(group)
    minimum = min(int(before["min"]), group.desired)
    if group.min != minimum:
        autoscaling().update_auto_scaling_group(AutoScalingGroupName=group.name, MinSize=minimum)
    if before["suspended"]:
        autoscaling().resume_processes(AutoScalingGroupName=group.name, ScalingProcesses=before["suspended"].split("+"))
    _untag(group, PINNED)


def unpin_all(last: Version) -> None:
    """Every version of the role, `last` as the last: its pin says where an unfinished upgrade came from."""
    for group in sorted(find_groups(last.stack, last.role), key=lambda group: group.version == last):
        if pinned_for(group):
            unpin(group)


def left_at(group: Group) -> datetime | None:
    """When the version gave its traffic to another one; None when it never had all of it."""
    return datetime.fromisoformat(group.tags[LEFT]) if LEFT in group.tags else None


def hot_until(group: Group) -> datetime | None:
    """Until when the version stays up for going back; None when nobody waits for that."""
    return datetime.fromisoformat(group.tags[HOT_UNTIL]) if HOT_UNTIL in group.tags else None


@step("remember that {version.role} {version.id} has served", system="autoscaling")
def mark_left(version: Version, window: timedelta) -> None:
    """It is known good and stays up for `window`. Marked once only: a repetition does not prolong the window."""
    group = find_group(version)
    if LEFT not in group.tags:
        now = datetime.now(UTC).replace(microsecond=0)
        _tag(group, {LEFT: now.isoformat(), HOT_UNTIL: (now + window).isoformat()})


@step("{group.version.role} {group.version.id} is in use", system="autoscaling")
def mark_in_use(group: Group) -> None:
    """It serves, or is about to: what was remembered of an earlier time is over."""
    _untag(group, LEFT, HOT_UNTIL)


def find_bad(stack: str, role: str) -> dict[str, str]:
    """The role's versions that failed, by id, and why. Raises EtcdUnreachable."""
    prefix = f"{BAD}{role}/"
    records = find_etcd(stack).list(prefix)
    return {record.key.removeprefix(prefix): str(json.loads(record.value)["reason"]) for record in records}


def check_not_bad(version: Version, what: str, *, force: bool) -> str:
    """Why the version failed before, or empty. Raises UsageError without `force`, saying how to `what` anyway."""
    bad = find_bad(version.stack, version.role).get(version.id, "")
    if bad and not force:
        raise UsageError(f"{version.role} {version.id} has failed before ({bad}); {what} anyway with --force")
    return bad


@step("mark {version.role} {version.id} as bad", system="etcd")
def condemn(lock: Lock | None, version: Version, reason: str) -> Changes:
    """Never choose the version again by itself. Raises LockLost."""
    facts = {"reason": reason, "at": datetime.now(UTC).isoformat(timespec="seconds")}
    _write(lock, version, put(f"{BAD}{version.role}/{version.id}", json.dumps(facts)))
    return (f"marked {version.role} {version.id} as bad",)


@step("forgive {version.role} {version.id}", system="etcd")
def pardon(lock: Lock | None, version: Version) -> None:
    """Somebody insists on the version: forget that it failed. Raises LockLost."""
    _write(lock, version, delete(f"{BAD}{version.role}/{version.id}"))


def _write(lock: Lock | None, version: Version, operation: dict[str, object]) -> None:
    if not find_etcd(version.stack).transact(lock.fence if lock else [], [operation]):
        check_held(lock)
        raise LockLost(version.role, version.stack, "nobody")
