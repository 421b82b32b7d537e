"""What `deploy` and `upgrade` would do."""

from __future__ import annotations

from datetime import timedelta

from tasks.errors import no_stack
from tasks.model import Release, Version
from tasks.planning.applying import Applied, foresee_apply
from tasks.planning.facts import Facts, role_facts
from tasks.planning.inventory import find_inventory
from tasks.planning.plan import Draft
from tasks.planning.rollouts import rollout_steps, running_twice
from tasks.planning.steps import parting, starting, waiting
from tasks.replacement import Order
from tasks.retiring import find_retirable
from tasks.roles import Role, load_role
from tasks.rollouts import Rollout
from tasks.stacks import find_stack
from tasks.upgrades import check_order, check_plan
from tasks.versions import INSTEAD, check_made_of, find_replaced, version_blueprint


def plan_deploy(version: Version, release: Release, size: int | None, wait: timedelta | None) -> Draft:
    """A version beside the live one."""
    role = load_role(version.role)
    wanted = role.size.default if size is None else role.check_size(size)
    check_made_of(version, release)
    applied = _foresee_version(version, release, role)
    inventory = find_inventory(version.stack)
    there = inventory.size(version)
    grown = wanted if size is not None or not there else there
    starts = role.traffic.kind != "queue"  # without machines until it is live and there is work
    after = inventory.items({version: grown} if starts else {})
    return Draft(
        of=f"{version.stack}-{role.name}",
        facts=role_facts(version.stack, role) | applied.facts | _made_of(version, release),
        steps=(
            *waiting(role.name, wait),
            *applied.steps,
            *([starting(version, role, grown)] if starts else []),
        ),
        changes=applied.changes,
        before=inventory.items(),
        during=after,
        after=after,
    )


def plan_upgrade(
    version: Version, release: Release, plan: Rollout | None, force: bool, wait: timedelta | None
) -> Draft:
    """A version that takes over; no step when it has."""
    stack, role = version.stack, load_role(version.role)
    plan = check_plan(role, plan or role.rollout)
    facts, inventory = role_facts(stack, role) | _made_of(version, release), find_inventory(stack)
    old = find_replaced(version, role)
    nothing = Draft(
        of=f"{stack}-{role.name}",
        facts=facts,
        steps=(),
        before=inventory.items(),
        during=inventory.items(),
        after=inventory.items(),
    )
    if old is None:
        return nothing
    check_order(Order(role=role, old=old, new=version, release=release, plan=plan), force=force)
    applied = _foresee_version(version, release, role)
    machines = inventory.size(old)
    rollout = rollout_steps(role, plan, version, old.id, machines)
    twice = running_twice(role, plan, old.id, machines, rollout)
    due = find_retirable(stack, role)
    gone = {each.version: 0 for each in due} | {old: 0}
    beside = sum(each.machines for each in twice)
    return nothing.model_copy(
        update={
            "facts": facts | applied.facts,
            "steps": (*waiting(role.name, wait), *applied.steps, *rollout, *parting(due, role)),
            "changes": applied.changes,
            "twice": twice,
            "during": inventory.items({version: max(beside, inventory.size(version))}),
            "after": inventory.items(gone | {version: machines if role.traffic.kind != "queue" else 0}),
        }
    )


def _foresee_version(version: Version, release: Release, role: Role) -> Applied:
    base = find_stack(version.stack)
    if base is None:
        raise no_stack(version.stack)
    return foresee_apply(version_blueprint(version, release, role, base.tags["tyrell:network"]), instead=INSTEAD)


def _made_of(version: Version, release: Release) -> Facts:
    return {f"what {version.role} {version.id} is made of": release.ami}
