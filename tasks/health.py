"""Whether the members of a version that should serve really do, asked where it counts for its kind of traffic."""

from __future__ import annotations

from tasks import registry, traffic
from tasks.clients import http_status
from tasks.groups import find_group, find_troubles
from tasks.model import Group, Health, Version
from tasks.roles import ByLoadBalancer, ByRegistry, Role
from tasks.steps import step
from tasks.waits import NotYet, wait_until


def find_health(group: Group, role: Role) -> Health:
    """The group's health as the load balancer, the registry or, for a role without traffic, the machines tell it.

    `wanted` comes from the group's desired size, never from the members that happen to be there.
    """
    match role.traffic:
        case ByLoadBalancer():
            return traffic.find_health(group)
        case ByRegistry():
            return registry.find_health(group, role.traffic, role.members_per_machine)
        case _:
            return _answering(group, role)


def _answering(group: Group, role: Role) -> Health:
    check = role.health
    answers = {each: http_status(f"http://{each.address}:{check.port}{check.path}") for each in group.in_service}
    problems = [
        f"{machine.id} ({machine.address}) answers {check.path} on port {check.port} with {answer}"
        for machine, answer in answers.items()
        if answer != "200"
    ]
    return Health(healthy=len(answers) - len(problems), wanted=group.desired, problems=tuple(problems))


@step("{version.role} {version.id} is healthy", system="health")
def await_healthy(version: Version, role: Role) -> Health:
    """Wait until every member the group should have is healthy. Raises Expired with what keeps each from it."""

    def look() -> Health | NotYet:
        group = find_group(version)
        health = find_health(group, role)
        if health.good:
            return health
        causes = (*find_troubles(group), *health.problems)
        return NotYet(f"{health.healthy} of {health.wanted} healthy; {'; '.join(causes[:3])}")

    return wait_until(f"{version.role} {version.id} to be healthy", look, role.patience)
