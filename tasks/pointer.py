"""Moving the pointer of a registry: who must see the new members first, the write, and who must believe it after.

A router that does not know a new member yet gives all those it knows to the first tenant that asks; one that has
missed the write goes on with the old version until it is written again.
"""

from __future__ import annotations

import json
import logging
import time
from datetime import timedelta
from typing import Any

import httpx

from tasks.clients import http_json
from tasks.core_services import find_etcd
from tasks.errors import Conflict, NotReady
from tasks.etcd import put, unchanged
from tasks.groups import find_groups
from tasks.locks import Lock, check_held
from tasks.model import Changes, Group, Machine, Patience, Version
from tasks.registry import Member, check_room, find_health, find_members
from tasks.role_parts import ByRegistry
from tasks.roles import Role, load_role
from tasks.steps import step
from tasks.waits import NotYet, wait_until

logger = logging.getLogger(__name__)

BELIEF = Patience(timeout=timedelta(seconds=60), every=timedelta(seconds=0.2))
WRITE_AGAIN = 3.0
"""Seconds after which the pointer is written again for a router that has not heard of it."""


def _state(watcher: Machine, port: int) -> dict[str, Any] | str:
    """What a watcher says of the registry, or why it says nothing."""
    try:
        answer: dict[str, Any] = http_json(f"http://{watcher.address}:{port}/state")
    except (httpx.HTTPError, ValueError) as error:
        return str(error) or type(error).__name__
    return answer


def unseen(watcher: Machine, port: int, members: tuple[Member, ...]) -> tuple[str, ...]:
    """Which of `members` the watcher does not see up, and why; empty when it sees them all."""
    state = _state(watcher, port)
    if isinstance(state, str):
        return (f"{watcher.id} does not answer /state: {state}",)
    listed = {target["url"]: target for target in state["targets"]}
    unknown = {"state": "unlisted", "reason": "it has not heard of it yet"}
    seen = {member.url: listed.get(member.url, unknown) for member in members}
    return tuple(
        f"{watcher.id} sees {url} {target['state']}: {target['reason'] or 'no reason given'}"
        for url, target in seen.items()
        if target["state"] != "UP"
    )


@step("every router sees {version.role} {version.id} up", system="etcd")
def await_seen(version: Version, role: Role, traffic: ByRegistry, watchers: tuple[Machine, ...]) -> int:
    """Wait until every watcher sees every registered member up, and return how many members that are.

    A router that does not know a new target yet would give all the free ones it knows to the first tenant.
    """
    port = load_role(traffic.watched_by).health.port

    def look() -> int | NotYet:
        members = find_members(version, traffic)
        problems = [problem for watcher in watchers for problem in unseen(watcher, port, members)]
        if problems:
            return NotYet(f"{problems[0]} (and {len(problems) - 1} more)" if len(problems) > 1 else problems[0])
        if not watchers:
            return NotYet(f"no {traffic.watched_by} is in service to see them")
        return len(members) or NotYet("no member is registered")

    return wait_until(f"every {traffic.watched_by} to see {version.role} {version.id} up", look, role.patience)


@step("point the registry at {group.version.role} {group.version.id}", system="etcd")
def switch_pointer(lock: Lock | None, group: Group, role: Role, traffic: ByRegistry, *, all_healthy: bool) -> Changes:
    """Make the group's version the live one: one transaction that compares with what was read, and with the lock.

    Looks immediately before whether all members, or at least one, are registered and have room for every tenant.
    Raises NotReady, LockLost, Conflict.
    """
    version = group.version
    name = f"{version.role} {version.id}"
    etcd = find_etcd(version.stack)
    seen = etcd.get(traffic.pointer)
    before = str(json.loads(seen.value)["version"]) if seen.value else "none"
    if before == version.id:
        logger.info("%s is live already: nothing to do", name)
        return ()
    health = find_health(group, traffic, role.members_per_machine)
    if health.healthy < max(health.wanted if all_healthy else 1, 1):
        raise NotReady(name, (f"{health.healthy} of {health.wanted} members are registered", *health.problems))
    check_room(version.stack, traffic, name, find_members(version, traffic))
    write = put(traffic.pointer, json.dumps({"version": version.id}, separators=(",", ":")))
    if not etcd.transact([unchanged(seen), *(lock.fence if lock else [])], [write]):
        check_held(lock)
        raise Conflict(f"{traffic.pointer} of stack {version.stack}", before, etcd.get(traffic.pointer).value)
    return (f"switched {version.role} from {before} to {version.id}",)


@step("every router believes {version.role} {version.id}", system="etcd")
def await_believed(lock: Lock | None, version: Version, traffic: ByRegistry, watchers: tuple[Machine, ...]) -> None:
    """Wait until every watcher says that `version` is live; write the same again for one that does not hear of it."""
    port = load_role(traffic.watched_by).health.port
    written = time.monotonic()

    def look() -> bool | NotYet:
        nonlocal written
        believed = {watcher.id: _believed(watcher, port) for watcher in watchers}
        others = [f"{watcher} believes {other}" for watcher, other in believed.items() if other != version.id]
        if not others:
            return True
        if time.monotonic() - written > WRITE_AGAIN:
            written = time.monotonic()
            _write_again(lock, version, traffic)
        return NotYet("; ".join(others))

    wait_until(f"every {traffic.watched_by} to believe {version.id}", look, BELIEF)


def _believed(watcher: Machine, port: int) -> str:
    state = _state(watcher, port)
    return state if isinstance(state, str) else str(state["version"])


def _write_again(lock: Lock | None, version: Version, traffic: ByRegistry) -> None:
    etcd = find_etcd(version.stack)
    seen = etcd.get(traffic.pointer)
    if str(json.loads(seen.value or "{}").get("version")) != version.id:
        raise Conflict(f"{traffic.pointer} of stack {version.stack}", version.id, seen.value)
    if not etcd.transact([unchanged(seen), *(lock.fence if lock else [])], [put(traffic.pointer, seen.value)]):
        check_held(lock)


def find_watchers(stack: str, traffic: ByRegistry) -> tuple[Machine, ...]:
    """The working machines of every version of the role that passes requests on by the pointer."""
    return tuple(machine for group in find_groups(stack, traffic.watched_by) for machine in group.in_service)
