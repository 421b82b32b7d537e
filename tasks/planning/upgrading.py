"""What `deploy` and `upgrade` would do."""

from __future__ import annotations

from datetime import timedelta

from tasks.amis import find_release
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
from tasks.versions import INSTEAD, check_made_of, find_candidate, find_replaced, version_blueprint


def plan_deploy(stack: str, role: str, ami: str, version: str, size: int | None, wait: timedelta | None) -> Draft:
    """A version beside the live one."""
    kind = load_role(role)
    wanted = kind.size.default if size is None else kind.check_size(size)
    release = find_release(ami, version, kind.machine_image)
    new = Version(stack=stack, role=role, id=release.id)
    check_made_of(new, release)
    applied = _foresee_version(new, release, kind)
    inventory = find_inventory(stack)
    there = inventory.size(new)
    grown = wanted if size is not None or not there else there
    starts = kind.traffic.kind != "queue"  # without machines until it is live and there is work
    after = inventory.items({new: grown} if starts else {})
    return Draft(
        of=f"{stack}-{role}",
        facts=role_facts(stack, kind) | applied.facts | _made_of(new, release),
        steps=(*waiting(role, wait), *applied.steps, *([starting(new, kind, grown)] if starts else [])),
        changes=applied.changes,
        before=inventory.items(),
        during=after,
        after=after,
        fixes={"ami": release.ami, "version": new.id},
    )


def plan_upgrade(
    stack: str, role: str, to: str, version: str, plan: Rollout | None, force: bool, wait: timedelta | None
) -> Draft:
    """A version that takes over; no step when it has."""
    kind = load_role(role)
    plan = check_plan(kind, plan or kind.rollout)
    new, release = find_candidate(stack, kind, to, version)
    fixes = {"to": release.ami, "version": new.id}
    facts, inventory = role_facts(stack, kind) | _made_of(new, release), find_inventory(stack)
    old = find_replaced(new, kind)
    if old is None:
        items = inventory.items()
        return Draft(of=f"{stack}-{role}", facts=facts, steps=(), before=items, during=items, after=items, fixes=fixes)
    check_order(Order(role=kind, old=old, new=new, release=release, plan=plan), force=force)
    applied = _foresee_version(new, release, kind)
    machines = inventory.size(old)
    rollout = rollout_steps(kind, plan, new, old.id, machines)
    twice = running_twice(kind, plan, old.id, machines, rollout)
    due = find_retirable(stack, kind)
    gone = {each.version: 0 for each in due} | {old: 0}
    beside = max(sum(each.machines for each in twice), inventory.size(new))
    return Draft(
        of=f"{stack}-{role}",
        facts=facts | applied.facts,
        steps=(*waiting(role, wait), *applied.steps, *rollout, *parting(due, kind)),
        changes=applied.changes,
        twice=twice,
        before=inventory.items(),
        during=inventory.items({new: beside}),
        after=inventory.items(gone | {new: machines if kind.traffic.kind != "queue" else 0}),
        fixes=fixes,
    )


def _foresee_version(version: Version, release: Release, role: Role) -> Applied:
    base = find_stack(version.stack)
    if base is None:
        raise no_stack(version.stack)
    return foresee_apply(version_blueprint(version, release, role, base.tags["tyrell:network"]), instead=INSTEAD)


def _made_of(version: Version, release: Release) -> Facts:
    return {f"what {version.role} {version.id} is made of": release.ami}
