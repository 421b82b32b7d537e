"""The steps that several flows take, with how long each takes at least and at most."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from tasks.model import Version
from tasks.planning.plan import Step
from tasks.planning.templates import resources_of
from tasks.retention import Due, Fate
from tasks.roles import Role
from tasks.stacks import PATIENCE

IN_ITS_TIME = None
"""Nothing ends it but its own end."""


def locking(stack: str, role: str, wait: timedelta | None) -> Step:
    """Take the lock of a role."""
    return Step(what=f"lock {role} of {stack}", most=wait or timedelta())


def creating(name: str, template: str) -> Step:
    """Create a CloudFormation stack."""
    return Step(what=f"create stack {name} with {len(resources_of(template))} resources", most=PATIENCE.timeout)


def starting(version: Version, role: Role, machines: int, steady: timedelta = timedelta()) -> Step:
    """Start machines and wait for their health."""
    what = f"start {machines} machines of {role.name} {version.id}, until all are healthy"
    if steady:
        what += f" for {steady} without a break"
    return Step(what=what, least=steady, most=role.patience.timeout + steady)


def deleting(name: str) -> Step:
    """Delete a CloudFormation stack."""
    return Step(what=f"delete stack {name}", most=PATIENCE.timeout)


def draining(name: str, role: Role, rate: float) -> Step:
    """Move connections off a version, gently."""
    return Step(what=f"move the connections of {role.name} off {name}, {rate:g} a second", most=IN_ITS_TIME)


def parting(due: Iterable[Due], role: Role) -> tuple[Step, ...]:
    """What is due for idle versions."""
    return tuple(
        Step(what=f"{each.fate} {role.name} {each.version.id}: {each.why}", most=_parting_takes(each, role))
        for each in due
    )


def _parting_takes(due: Due, role: Role) -> timedelta:
    return role.patience.timeout + PATIENCE.timeout if due.fate is Fate.delete else timedelta()
