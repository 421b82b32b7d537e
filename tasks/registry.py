"""The service registry in a stack's etcd: which members registered, which version is live, and moving that pointer.

Keys and field names are a contract with every Link component; the keys come from the role (`role.toml`, traffic).
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from datetime import timedelta
from typing import Any

import httpx

from tasks.clients import http_json
from tasks.errors import Conflict, NotReady
from tasks.etcd import Etcd
from tasks.groups import find_addresses
from tasks.model import Changes, Group, Health, Machine, Noun, Patience, Version
from tasks.roles import ByRegistry, Role, load_role
from tasks.steps import step
from tasks.waits import NotYet, wait_until

logger = logging.getLogger(__name__)

CORE_SERVICES = "core-services"
BELIEF = Patience(timeout=timedelta(seconds=60), every=timedelta(seconds=0.2))


class Member(Noun):
    """One registered member: a target on some machine."""

    url: str
    version: str

    @property
    def address(self) -> str:
        """The machine's private address."""
        return self.url.removeprefix("http://").split(":")[0]


def find_etcd(stack: str) -> Etcd:
    """The stack's etcd, at the addresses its running core-services machines have now."""
    members = {"tag:tyrell:stack": [stack], "tag:tyrell:role": [CORE_SERVICES], "instance-state-name": ["running"]}
    addresses = tuple(find_addresses(members).values())
    return Etcd(stack, addresses, load_role(CORE_SERVICES).health.port)


def find_members(version: Version, traffic: ByRegistry) -> tuple[Member, ...]:
    """The members of `version` that are registered now. Raises EtcdUnreachable."""
    records = (json.loads(record.value) for record in find_etcd(version.stack).list(traffic.records))
    members = (Member(url=record["url"], version=record["version"]) for record in records)
    return tuple(member for member in members if member.version == version.id)


def find_pointer(stack: str, traffic: ByRegistry) -> str:
    """The id of the version that the registry says is live, or an empty text. Raises EtcdUnreachable."""
    value = find_etcd(stack).get(traffic.pointer).value
    return str(json.loads(value)["version"]) if value else ""


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


def find_health(group: Group, traffic: ByRegistry, each: int) -> Health:
    """How many of the group's members are registered; `each` machine should have that many."""
    registered = Counter(member.address for member in find_members(group.version, traffic))
    problems = [
        f"{machine.id} ({machine.address}) has registered {registered[machine.address]} of {each}"
        for machine in group.machines
        if registered[machine.address] < each
    ]
    healthy = sum(registered[machine.address] for machine in group.machines)
    return Health(healthy=healthy, wanted=group.desired * each, problems=tuple(problems))


@step("point the registry at {group.version.role} {group.version.id}", system="etcd")
def switch_pointer(group: Group, role: Role, traffic: ByRegistry) -> Changes:
    """Make the group's version the live one: one transaction that compares with what was read.

    Looks at the group's registrations immediately before. Raises NotReady, or Conflict.
    """
    version = group.version
    health = find_health(group, traffic, role.members_per_machine)
    if not health.good:
        missing = f"{health.healthy} of {health.wanted} members are registered"
        raise NotReady(f"{version.role} {version.id}", (missing, *health.problems))
    etcd = find_etcd(version.stack)
    seen = etcd.get(traffic.pointer)
    before = str(json.loads(seen.value)["version"]) if seen.value else "none"
    if before == version.id:
        logger.info("%s %s is live already: nothing to do", version.role, version.id)
        return ()
    if not etcd.replace(seen, json.dumps({"version": version.id}, separators=(",", ":"))):
        raise Conflict(f"{traffic.pointer} of stack {version.stack}", before, etcd.get(traffic.pointer).value)
    return (f"switched {version.role} from {before} to {version.id}",)


@step("every router believes {version.role} {version.id}", system="etcd")
def await_believed(version: Version, traffic: ByRegistry, watchers: tuple[Machine, ...]) -> None:
    """Wait until every watcher says that `version` is live."""
    port = load_role(traffic.watched_by).health.port

    def look() -> bool | NotYet:
        for watcher in watchers:
            state = _state(watcher, port)
            believed = state if isinstance(state, str) else state["version"]
            if believed != version.id:
                return NotYet(f"{watcher.id} believes {believed}")
        return True

    wait_until(f"every {traffic.watched_by} to believe {version.id}", look, BELIEF)


def machines_in_service(groups: tuple[Group, ...]) -> tuple[Machine, ...]:
    """The working machines of several groups."""
    return tuple(machine for group in groups for machine in group.in_service)
