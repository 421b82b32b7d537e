"""The facts of the world that plans rest on, as people say them. Never health: that comes and goes by itself."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from datetime import UTC, datetime

from tasks.clients import cloudformation
from tasks.errors import EtcdUnreachable
from tasks.groups import find_groups
from tasks.locks import find_locks
from tasks.marks import find_bad, hot_until
from tasks.model import Group
from tasks.pins import pinned_for
from tasks.planning.plan import NONE
from tasks.roles import Role
from tasks.stacks import Blueprint, CfnStack, find_stack
from tasks.versions import find_made_of, find_working

Facts = dict[str, str]


def role_facts(stack: str, role: Role) -> Facts:
    """Who works, which versions there are and what they are made of, which are bad, and who changes the role.

    Raises EtcdUnreachable.
    """
    working = find_working(stack, role)
    unit = " machines" if role.traffic.kind == "none" else " %"
    live = ", ".join(f"{name} ({share}{unit})" for name, share in sorted(working.items()))
    versions = {
        f"{role.name} {group.version.id}": _version(group, role, now=datetime.now(UTC))
        for group in find_groups(stack, role.name)
    }
    bad = ", ".join(sorted(find_bad(stack, role.name)))
    who = {f"the live version of {role.name}": live or NONE}
    return {**who, **versions, f"bad versions of {role.name}": bad or NONE, **lock_facts(stack)}


def _version(group: Group, role: Role, now: datetime) -> str:
    """Its machines, unless their number is its queue's doing; what holds it."""
    made_of = find_made_of(group.version)
    until = hot_until(group)
    return ", ".join(
        filter(
            None,
            [
                "" if role.traffic.kind == "queue" else f"{group.desired} machines",
                made_of.ami if made_of else "",
                f"in the upgrade to {pinned_for(group)}" if pinned_for(group) else "",
                f"kept until {until:%F %T} UTC" if until and until > now else "",
            ],
        )
    )


def lock_facts(stack: str) -> Facts:
    """Who changes what; nothing where there is no etcd yet, or no etcd that answers."""
    with suppress(EtcdUnreachable):
        held = (f"{lock.role} by {lock.holder}: {lock.doing}" for lock in find_locks(stack))
        return {f"what is locked in {stack}": "; ".join(sorted(held)) or NONE}
    return {}


def stack_facts(name: str) -> Facts:
    """The CloudFormation stack of that name, and the template it was made or updated with."""
    return {f"stack {name}": _stack(find_stack(name))}


def _stack(found: CfnStack | None) -> str:
    return f"{found.status}, template {digest(body_of(found))}" if found else NONE


def body_of(found: CfnStack) -> str:
    """The stack's template, as CloudFormation has it."""
    return str(cloudformation().get_template(StackName=found.id)["TemplateBody"])


def wanted_facts(blueprint: Blueprint) -> Facts:
    """The template that the repository has for a stack, and its parameters."""
    parameters = "".join(f"{name}={value};" for name, value in sorted(blueprint.parameters.items()))
    return {f"the template of {blueprint.name} here": digest(blueprint.template + parameters)}


def digest(text: str) -> str:
    """Short, for people who compare."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]
