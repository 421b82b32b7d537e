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


def counted(number: int, what: str) -> str:
    """`1 machine`, `2 machines`."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def waiting(role: str, wait: timedelta | None) -> tuple[Step, ...]:
    """Wait for another change of the role to end; nothing when the person does not want to wait."""
    return (Step(what=f"wait for whoever changes {role}", most=wait),) if wait else ()


def creating(name: str, template: str) -> Step:
    """Create a CloudFormation stack."""
    return Step(
        what=f"create stack {name} with {counted(len(resources_of(template)), 'resource')}", most=PATIENCE.timeout
    )


def starting(version: Version, role: Role, machines: int, steady: timedelta = timedelta()) -> Step:
    """Start machines and wait for their health."""
    what = f"have {counted(machines, 'machine')} of {role.name} {version.id}, until all are healthy"
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
