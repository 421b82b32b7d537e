"""Taking versions away that serve nobody: first their connections, then their machines, then all of them."""

from __future__ import annotations

from datetime import UTC, datetime

from tasks import registry, traffic
from tasks.draining import move_connections
from tasks.events import Event, tell_event
from tasks.groups import await_size, find_group, find_groups, scale_group
from tasks.locks import Lock, check_held
from tasks.marks import find_bad, unpin
from tasks.model import Changes, Version
from tasks.retention import Due, Fate, find_due
from tasks.role_parts import ByLoadBalancer, ByRegistry
from tasks.roles import Role
from tasks.stacks import delete_stack
from tasks.versions import find_working


def find_retirable(stack: str, role: Role) -> tuple[Due, ...]:
    """What is due for the role's idle versions now. Raises EtcdUnreachable."""
    return find_due(
        find_groups(stack, role.name),
        find_working(stack, role),
        find_bad(stack, role.name),
        role.rollout,
        datetime.now(UTC),
    )


def retire_due(lock: Lock | None, stack: str, role: Role) -> Changes:
    """Do what is due, now that we have the lock."""
    changes: Changes = ()
    for due in find_retirable(stack, role):
        changes += stop_version(lock, due.version, role, role.rollout.drain_rate)
        if due.fate is Fate.delete:
            changes += delete_version(lock, due.version, role)
    return changes


def stop_version(lock: Lock | None, version: Version, role: Role, drain_rate: float) -> Changes:
    """Drain it, take it out of its rule and let its machines go; its stack stays. Raises LockLost, Conflict."""
    check_held(lock)
    group = find_group(version)
    unpin(group)
    if group.desired:
        move_connections(version, role, drain_rate)
    changes: Changes = ()
    if isinstance(role.traffic, ByLoadBalancer):
        changes += traffic.remove_from_rule(lock, group, role.traffic)
    check_held(lock)  # draining takes its time
    return changes + scale_group(version, 0)


def delete_version(lock: Lock | None, version: Version, role: Role) -> Changes:
    """Delete a version that was stopped, and what a registry may still know of it. Raises LockLost."""
    await_size(version, 0, role.patience)
    check_held(lock)
    changes = delete_stack(version.stack_name)
    if isinstance(role.traffic, ByRegistry):
        changes += registry.forget_members(lock, version, role.traffic)
    tell_event(Event.VERSION_RETIRED, version)
    return changes
