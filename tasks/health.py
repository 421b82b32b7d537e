"""Whether the members of a version that should serve really do, asked where it counts for its kind of traffic."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tasks import registry, traffic
from tasks.activities import find_deaths, find_troubles
from tasks.clients import http_status
from tasks.errors import Disproved, Expired
from tasks.events import Event, tell_event
from tasks.groups import find_group
from tasks.model import Group, Health, Version
from tasks.role_parts import ByLoadBalancer, ByRegistry
from tasks.roles import Role
from tasks.steps import step
from tasks.waits import NotYet, wait_until

MOST_DEATHS = 2
"""Machines may die while a version starts; more than that, and more than it has, are the release's own doing."""


def find_health(group: Group, role: Role) -> Health:
    """The group's health as the load balancer, the registry or, for a role without traffic, the machines tell it.

    `wanted` comes from the group's desired size, never from the members that happen to be there.
    """
    if not group.desired and not group.machines:
        return Health(healthy=0, wanted=0)  # most versions are idle, and each costs a call
    match role.traffic:
        case ByLoadBalancer():
            return traffic.find_health(group)
        case ByRegistry():
            return registry.find_health(group, role.traffic, role.members_per_machine)
        case _:
            return _answering(group, role)


def is_by_address(role: Role) -> bool:
    """Whether `find_health` needs the addresses of the group's machines."""
    match role.traffic:
        case ByLoadBalancer():
            return False
        case ByRegistry():
            return True
        case _:
            return role.health.port > 0


def _answering(group: Group, role: Role) -> Health:
    check = role.health
    if not check.port:
        return Health(healthy=len(group.in_service), wanted=group.desired)
    answers = {each: http_status(f"http://{each.address}:{check.port}{check.path}") for each in group.in_service}
    problems = [
        f"{machine} answers {check.path} on port {check.port} with {answer}"
        for machine, answer in answers.items()
        if answer != "200"
    ]
    return Health(healthy=len(answers) - len(problems), wanted=group.desired, problems=tuple(problems))


@step("{version.role} {version.id} is healthy", system="health")
def await_healthy(version: Version, role: Role, steady: timedelta = timedelta()) -> Health:
    """Wait until every member the group should have is healthy, and has been for `steady` without a break.

    Raises Expired with what keeps each from it; and Disproved when it is the release: its machines die one after the
    other, or all are there and not healthy in time.
    """
    name = f"{version.role} {version.id}"
    began, since = datetime.now(UTC), None

    def look() -> Health | NotYet:
        nonlocal since
        group = find_group(version)
        health = find_health(group, role)
        if not health.good:
            since = None
            _check_alive(group, began)
            causes = (*find_troubles(group), *health.problems)
            return NotYet(f"{health.healthy} of {health.wanted} healthy; {'; '.join(causes[:3])}")
        since = since or datetime.now(UTC)
        passed = datetime.now(UTC) - since
        return health if passed >= steady else NotYet(f"healthy for {passed.seconds} of {steady.seconds} s")

    patience = role.patience.model_copy(update={"timeout": role.patience.timeout + steady})
    try:
        health = wait_until(f"{name} to be healthy", look, patience)
    except Expired as error:
        group = find_group(version)
        if len(group.in_service) >= group.desired:
            raise Disproved(name, str(error)) from error
        raise
    tell_event(Event.VERSION_HEALTHY, version, members=health.healthy)
    return health


def _check_alive(group: Group, began: datetime) -> None:
    deaths = find_deaths(group, began)
    if len(deaths) > max(MOST_DEATHS, group.desired):
        name = f"{group.version.role} {group.version.id}"
        raise Disproved(name, f"{len(deaths)} of its machines died before all were healthy: {deaths[0]}")
