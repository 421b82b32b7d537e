"""Moving traffic by hand: to a version that is there, or back to one known good."""

from __future__ import annotations

from tasks import marks, pointer, registry, traffic
from tasks.errors import NotReady, UsageError
from tasks.events import Event, tell_event
from tasks.groups import find_group, find_groups, scale_group
from tasks.health import find_health
from tasks.live_keys import point_to
from tasks.locks import Lock, check_held
from tasks.model import Changes, Version
from tasks.retiring import stop_version
from tasks.role_parts import ByLoadBalancer, ByNothing, ByQueue, ByRegistry
from tasks.roles import Role
from tasks.rollouts import FULL
from tasks.versions import find_shares
from tasks.watchers import find_watchers


def switch_traffic(lock: Lock | None, version: Version, role: Role, percent: int, rest: Version | None) -> Changes:
    """Give a healthy version that share of the traffic and `rest` what is left.

    Raises NotReady, LockLost, Conflict, and UsageError when the role's traffic cannot be moved like that.
    """
    if percent < FULL and not isinstance(role.traffic, ByLoadBalancer):
        raise UsageError(f"traffic of {role.name} cannot be shared out; switch all of it to one version")
    before = find_shares(version.stack, role)
    changes = _move(lock, version, role, percent, rest, all_healthy=True)
    check_held(lock)
    if changes and percent == FULL:
        for name, share in before.items():
            if share == FULL:
                left = version.model_copy(update={"id": name})
                marks.mark_left(left, role.rollout.rollback_window)
                if isinstance(role.traffic, ByQueue):  # its machines finish their batch, then others do the work
                    changes += scale_group(left, 0)
    for each in filter(None, (version, rest)):
        marks.mark_in_use(find_group(each))
    return changes


def _move(
    lock: Lock | None, version: Version, role: Role, percent: int, rest: Version | None, *, all_healthy: bool
) -> Changes:
    group = find_group(version)
    match role.traffic:
        case ByLoadBalancer() as kind:
            other = find_group(rest) if rest else None
            return traffic.shift_weights(lock, group, other, kind, percent, all_healthy=all_healthy)
        case ByRegistry() as kind:
            watchers = find_watchers(version.stack, kind)
            if all_healthy:
                registry.forget_lost(lock, group, kind)
                pointer.await_seen(version, role, kind, watchers)
            changes = pointer.switch_pointer(lock, group, role, kind, all_healthy=all_healthy)
            pointer.await_believed(lock, version, kind, watchers)
            return changes
        case ByQueue():
            return point_to(lock, version, back=not all_healthy)
    raise UsageError(f"role {role.name} has no traffic to switch")


def check_may_go_back(back: Version, role: Role, *, force: bool) -> None:
    """Raises UsageError when the version is bad, NotReady when it has nobody who could serve."""
    name = f"{role.name} {back.id}"
    if isinstance(role.traffic, ByNothing):
        raise UsageError(
            f"{role.name} has no traffic to give back; `tyrell upgrade {role.name} --to {back.id}` does it"
        )
    marks.check_not_bad(back, "go back to it", force=force)
    group = find_group(back)
    if isinstance(role.traffic, ByQueue):  # it needs no machine before there is work
        return
    health = find_health(group, role)
    if not health.healthy:
        asleep = (f"it has no machines; `tyrell upgrade {role.name} --to {back.id}` starts them",)
        raise NotReady(name, health.problems if group.desired else asleep)


def go_back(lock: Lock | None, leaving: Version, back: Version, role: Role, reason: str) -> Changes:
    """Traffic in one write; then the version that was left is marked bad and its machines go.

    Both are pinned first and let go last, so that a repetition after a kill leaves the same version and no other one.
    The version that is left may not be there: an upgrade can die before it has made it.
    Raises NotReady, LockLost, Conflict.
    """
    check_held(lock)
    there = tuple(group for group in find_groups(leaving.stack, role.name) if group.version == leaving)
    for group in (*there, find_group(back)):
        marks.pin(group, leaving.id, hold=False)
    changes = _move(lock, back, role, FULL, None, all_healthy=False)
    changes += marks.condemn(lock, leaving, reason)
    marks.mark_in_use(find_group(back))
    if there:
        changes += stop_version(lock, leaving, role, role.rollout.drain_rate)
    check_held(lock)
    marks.unpin_all(back)
    tell_event(Event.VERSION_ROLLED_BACK, leaving, to=back.id, reason=reason)
    return changes
