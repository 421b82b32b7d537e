"""Moving the pointer of a registry: who must see the new members first, the write, and who must believe it after.

A router that does not know a new member yet gives all those it knows to the first tenant that asks; one that has
missed the write goes on with the old version until it is written again.
"""

from __future__ import annotations

import json
import logging
import time
from datetime import timedelta

from tasks.errors import Conflict, NotReady
from tasks.events import Event, tell_event
from tasks.locks import Lock, check_held
from tasks.model import Changes, Group, Machine, Patience, Version
from tasks.monitoring.annotations import annotate
from tasks.registry import check_room, find_health, find_members
from tasks.registry_api import find_registry
from tasks.role_parts import ByRegistry
from tasks.roles import Role
from tasks.rollouts import FULL
from tasks.steps import step
from tasks.waits import NotYet, wait_until
from tasks.watchers import ask_state, unseen

logger = logging.getLogger(__name__)

BELIEF = Patience(timeout=timedelta(seconds=60), every=timedelta(seconds=0.2))
WRITE_AGAIN = 3.0
"""Seconds after which the pointer is written again for a router that has not heard of it."""


@step("every router sees {version.role} {version.id} up", system="etcd")
def await_seen(version: Version, role: Role, traffic: ByRegistry, watchers: tuple[Machine, ...]) -> int:
    """Wait until every watcher sees every registered member up, and return how many members that are.

    A router that does not know a new target yet would give all the free ones it knows to the first tenant.
    """

    def look() -> int | NotYet:
        members = find_members(version, traffic)
        problems = [problem for watcher in watchers for problem in unseen(watcher, traffic, members)]
        if problems:
            return NotYet(f"{problems[0]} (and {len(problems) - 1} more)" if len(problems) > 1 else problems[0])
        if not watchers:
            return NotYet(f"no {traffic.watched_by} is in service to see them")
        return len(members) or NotYet("no member is registered")

    return wait_until(f"every {traffic.watched_by} to see {version.role} {version.id} up", look, role.patience)


@step("point the registry at {group.version.role} {group.version.id}", system="etcd")
def switch_pointer(lock: Lock | None, group: Group, role: Role, traffic: ByRegistry, *, all_healthy: bool) -> Changes:
    """Make the group's version the live one: one transaction that compares with what was read, and with the lock.

    Looks immediately before whether all members, or at least one for a way back, are registered and have room for all.
    Raises NotReady, LockLost, Conflict.
    """
    version = group.version
    name = f"{version.role} {version.id}"
    registry = find_registry(version.stack)
    seen = registry.get(traffic.pointer)
    before = str(json.loads(seen.value)["version"]) if seen.value else "none"
    if before == version.id:
        logger.info("%s is live already: nothing to do", name)
        return ()
    health = find_health(group, traffic, role.members_per_machine)
    if health.healthy < max(health.wanted if all_healthy else 1, 1):
        raise NotReady(name, (f"{health.healthy} of {health.wanted} members are registered", *health.problems))
    check_room(version.stack, traffic, name, find_members(version, traffic))
    if not registry.write(seen, json.dumps({"version": version.id}, separators=(",", ":")), lock):
        check_held(lock)
        raise Conflict(f"{traffic.pointer} of stack {version.stack}", before, registry.get(traffic.pointer).value)
    changes = (f"switched {version.role} from {before} to {version.id}",)
    annotate(version, "switch" if all_healthy else "rollback", changes, FULL)
    tell_event(Event.VERSION_SWITCHED, version, weights={version.id: FULL}, before={before: FULL} if seen.value else {})
    return changes


@step("every router believes {version.role} {version.id}", system="etcd")
def await_believed(lock: Lock | None, version: Version, traffic: ByRegistry, watchers: tuple[Machine, ...]) -> None:
    """Wait until every watcher says that `version` is live; write the same again for one that does not hear of it.

    For watchers that never say what they believe it is written a second time, whatever they believe.
    """
    written, rewritten = time.monotonic(), False

    def look() -> bool | NotYet:
        nonlocal written, rewritten
        believed = {watcher.id: _believed(watcher, traffic) for watcher in watchers}
        others = [f"{name} believes {other}" for name, other in believed.items() if other not in {version.id, None}]
        if not others and (rewritten or None not in believed.values()):
            return True
        if time.monotonic() - written > WRITE_AGAIN:
            written, rewritten = time.monotonic(), True
            _write_again(lock, version, traffic)
        return NotYet("; ".join(others) or "they do not say, so it is written twice")

    wait_until(f"every {traffic.watched_by} to believe {version.id}", look, BELIEF)


def _believed(watcher: Machine, traffic: ByRegistry) -> str | None:
    state = ask_state(watcher, traffic)
    return state if isinstance(state, str) else state.version


def _write_again(lock: Lock | None, version: Version, traffic: ByRegistry) -> None:
    registry = find_registry(version.stack)
    seen = registry.get(traffic.pointer)
    if str(json.loads(seen.value or "{}").get("version")) != version.id:
        raise Conflict(f"{traffic.pointer} of stack {version.stack}", version.id, seen.value)
    if not registry.write(seen, seen.value, lock):
        check_held(lock)
