"""What is remembered of a version, where it can be seen: tags of its group, and in etcd which ones are bad."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta

from tasks.clients import autoscaling
from tasks.core_services import find_etcd
from tasks.errors import LockLost, UsageError
from tasks.etcd import delete, put
from tasks.events import Event, tell_event
from tasks.groups import find_group, find_groups
from tasks.locks import Lock, check_held
from tasks.model import Changes, Group, Version
from tasks.pins import PINNED, pin_for, pin_of
from tasks.steps import step

logger = logging.getLogger(__name__)

LEFT = "tyrell:left"
"""When it gave all its traffic to another version; only one that had served well gets this tag."""
HOT_UNTIL = "tyrell:hot-until"
"""Until when it stays up to take the traffic back."""
BAD = "/tyrell/bad/"


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


@step("hold the size of {group.version.role} {group.version.id}", system="autoscaling")
def pin(group: Group, to: str, *, hold: bool = True) -> None:
    """Let no schedule, alarm or rebalancing touch the group, and with `hold` keep it at least as large as it is now.

    What it was before is written to a tag first, so that whoever comes later can restore it.
    """
    pinned = pin_for(group, to)
    if pinned != pin_of(group):
        _tag(group, {PINNED: str(pinned)})
    running = [process for process in pinned.processes if process not in group.suspended]
    if running:
        autoscaling().suspend_processes(AutoScalingGroupName=group.name, ScalingProcesses=running)
    if hold and group.min != group.desired:
        autoscaling().update_auto_scaling_group(AutoScalingGroupName=group.name, MinSize=group.desired)


@step("let go of the size of {group.version.role} {group.version.id}", system="autoscaling")
def unpin(group: Group) -> None:
    """Restore what `pin` changed; nothing to do is fine."""
    before = pin_of(group)
    if before is None:
        return
    minimum = min(before.min, group.desired)
    if group.min != minimum:
        autoscaling().update_auto_scaling_group(AutoScalingGroupName=group.name, MinSize=minimum)
    if before.processes:
        autoscaling().resume_processes(AutoScalingGroupName=group.name, ScalingProcesses=before.processes)
    _untag(group, PINNED)


def unpin_all(last: Version) -> None:
    """Every version of the role, `last` as the last: its pin says where an unfinished upgrade came from."""
    for group in sorted(find_groups(last.stack, last.role), key=lambda group: group.version == last):
        if pin_of(group):
            unpin(group)


def unpin_others(*ours: Version) -> None:
    """Every version of the role but `ours`: it is held by an upgrade that died and was left for another one."""
    for group in find_groups(ours[0].stack, ours[0].role):
        if pin_of(group) and group.version not in ours:
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
    tell_event(Event.VERSION_BAD, version, reason=reason)
    return (f"marked {version.role} {version.id} as bad",)


@step("forgive {version.role} {version.id}", system="etcd")
def pardon(lock: Lock | None, version: Version) -> None:
    """Somebody insists on the version: forget that it failed. Raises LockLost."""
    _write(lock, version, delete(f"{BAD}{version.role}/{version.id}"))


def _write(lock: Lock | None, version: Version, operation: dict[str, object]) -> None:
    if not find_etcd(version.stack).transact(lock.fence if lock else [], [operation]):
        check_held(lock)
        raise LockLost(version.role, version.stack, "nobody")
