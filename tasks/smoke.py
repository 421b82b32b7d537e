"""Smoke checks: every member of a new version answers the role's own requests before it gets traffic."""

from __future__ import annotations

from functools import partial
from statistics import median

from tasks.clients import http_client, http_timed
from tasks.errors import Disproved
from tasks.groups import find_group
from tasks.model import Version
from tasks.roles import Role
from tasks.rollouts import Smoke
from tasks.steps import in_parallel, step


@step("smoke checks of {version.role} {version.id}", system="health")
def check_smoke(version: Version, role: Role, checks: tuple[Smoke, ...]) -> None:
    """Ask every member everything. Raises Disproved with the first answer that is not as it should be."""
    if not checks:
        return
    members = [f"http://{machine.address}:{port}" for machine in find_group(version).in_service for port in role.ports]
    failures = [
        failure for failure in in_parallel([partial(_failure, member, checks) for member in members]) if failure
    ]
    if failures:
        raise Disproved(f"{version.role} {version.id}", f"{failures[0]} ({len(failures)} of {len(members)} members)")


def _failure(member: str, checks: tuple[Smoke, ...]) -> str:
    """Why the member fails; empty when it does not."""
    with http_client() as client:
        for check in checks:
            took = []
            for number in range(check.times):
                failure, seconds = http_timed(client, member + check.path, check.status, check.headers)
                if failure:
                    return f"smoke check {member}{check.path} number {number + 1} of {check.times}: {failure}"
                took.append(seconds)
            limit = check.within.total_seconds()
            if median(took) > limit:
                return f"smoke check {member}{check.path}: answers take {median(took):.2f} s, allowed {limit:g} s"
    return ""
