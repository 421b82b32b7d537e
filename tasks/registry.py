"""The service registry in a stack's etcd: which members registered, whose they are, and which version is live.

Keys and field names are a contract with every Link component; the keys come from the role (`role.toml`, traffic).
"""

from __future__ import annotations

import json
from collections import Counter

from tasks.crowd import shared
from tasks.errors import NotReady
from tasks.locks import Lock, check_held
from tasks.model import Changes, Group, Health, Noun, Version
from tasks.registry_api import find_registry
from tasks.role_parts import ByRegistry
from tasks.steps import step


class Member(Noun):
    """One registered member: a target on some machine, free or given to a tenant."""

    url: str
    version: str
    tenant: str = ""

    @property
    def address(self) -> str:
        """The machine's private address."""
        return self.url.removeprefix("http://").split(":")[0]


@shared
def _members(stack: str, traffic: ByRegistry) -> tuple[Member, ...]:
    records = (json.loads(record.value) for record in find_registry(stack).list(traffic.records))
    return tuple(
        Member(url=record["url"], version=record["version"], tenant=record.get("tenantId") or "") for record in records
    )


def find_members(version: Version, traffic: ByRegistry) -> tuple[Member, ...]:
    """The members of `version` that are registered now. Raises EtcdUnreachable."""
    return tuple(member for member in _members(version.stack, traffic) if member.version == version.id)


def find_peers(stack: str, traffic: ByRegistry) -> Counter[str]:
    """How many hubs are connected to each member, by its URL."""
    return Counter(str(json.loads(record.value)["url"]) for record in find_registry(stack).list(traffic.peers))


def find_tenants(stack: str, traffic: ByRegistry) -> frozenset[str]:
    """All tenants: whoever has a member, or a hub connected."""
    connected = (record.key.removeprefix(traffic.peers) for record in find_registry(stack).list(traffic.peers))
    given = {member.tenant for member in _members(stack, traffic) if member.tenant}
    return frozenset(given | {key.split("/")[0] for key in connected})


def check_room(stack: str, traffic: ByRegistry, version: str, members: tuple[Member, ...]) -> None:
    """Raises NotReady, with the numbers, unless `members` can take every tenant at once.

    A tenant takes `members_per_tenant` of them with its first request after the switch, and keeps them.
    """
    tenants, each = find_tenants(stack, traffic), traffic.members_per_tenant
    held = Counter(member.tenant for member in members)
    free = held.pop("", 0)
    needed = sum(max(0, each - held[tenant]) for tenant in tenants)
    if needed > free:
        what = f"{len(tenants)} tenants with {each} members each need {needed} free members, it has {free}"
        raise NotReady(version, (f"{what}; scale it up first",))


def find_pointer(stack: str, traffic: ByRegistry) -> str:
    """The id of the version that the registry says is live, or an empty text. Raises EtcdUnreachable."""
    value = find_registry(stack).get(traffic.pointer).value
    return str(json.loads(value)["version"]) if value else ""


def find_health(group: Group, traffic: ByRegistry, each: int) -> Health:
    """How many of the group's members are registered; `each` machine should have that many."""
    registered = Counter(member.address for member in find_members(group.version, traffic))
    problems = [
        f"{machine} has registered {registered[machine.address]} of {each}"
        for machine in group.machines
        if registered[machine.address] < each
    ]
    healthy = sum(registered[machine.address] for machine in group.machines)
    return Health(healthy=healthy, wanted=group.desired * each, problems=tuple(problems))


@step("forget the members of {version.role} {version.id}", system="etcd")
def forget_members(lock: Lock | None, version: Version, traffic: ByRegistry) -> Changes:
    """Remove the registrations of a version that is gone; one without a lease would stay for ever. Raises LockLost."""
    return _forget(lock, version, traffic, find_members(version, traffic))


@step("forget the lost members of {group.version.role} {group.version.id}", system="etcd")
def forget_lost(lock: Lock | None, group: Group, traffic: ByRegistry) -> Changes:
    """Remove the registrations that machines left behind which are not in the group any more. Raises LockLost.

    A router would see them down, and every switch would wait for them.
    """
    there = {machine.address for machine in group.machines}
    lost = tuple(member for member in find_members(group.version, traffic) if member.address not in there)
    return _forget(lock, group.version, traffic, lost)


def _forget(lock: Lock | None, version: Version, traffic: ByRegistry, members: tuple[Member, ...]) -> Changes:
    if not members:
        return ()
    keys = [traffic.records + member.url.removeprefix("http://") for member in members]
    if not find_registry(version.stack).remove(keys, lock):
        check_held(lock)
    return (f"removed {len(keys)} registrations of {version.role} {version.id}",)
