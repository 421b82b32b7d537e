"""What `release` would do."""

from __future__ import annotations

from datetime import timedelta

from tasks.model import Version
from tasks.planning.facts import Facts, role_facts
from tasks.planning.images import bake_steps, offer_facts
from tasks.planning.inventory import Inventory, find_inventory
from tasks.planning.plan import Draft, Items, Step, Twice
from tasks.planning.rollouts import rollout_steps, running_twice
from tasks.planning.steps import creating, parting, waiting
from tasks.recipes import check_committed
from tasks.release_plans import plan_release as foresee_release
from tasks.releases import Planned
from tasks.roles import load_role
from tasks.rollouts import Rollout
from tasks.templates import version_template

UNNAMED = "new"
"""Stands for a version whose machine image is not baked yet, and is named after it."""


def plan_release(
    stack: str,
    roles: tuple[str, ...],
    version: str,
    images: dict[str, str] | None,
    plans: dict[str, Rollout] | None,
    require_clean: bool,
    wait: timedelta | None,
) -> Draft:
    """Builds, bakes, and then one upgrade after the other."""
    if require_clean:
        check_committed()
    foreseen = foresee_release(stack, roles, version, images or {})
    inventory = find_inventory(stack)
    steps: list[Step] = [step for bake in foreseen.bakes for step in bake_steps(bake.kind, bake.offer)]
    facts: Facts = {}
    for bake in foreseen.bakes:
        facts |= offer_facts(bake.kind, bake.offer)
    twice: list[Twice] = []
    for planned in foreseen.rollout:
        facts |= role_facts(stack, load_role(planned.role))
        if planned.changed:
            upgrade, beside = _upgrade(stack, planned, (plans or {}).get(planned.role), wait)
            steps += upgrade
            twice += beside
    for due in foreseen.deletes:
        steps += parting((due,), load_role(due.version.role))
    return Draft(
        of=stack,
        facts=facts,
        steps=tuple(steps),
        twice=tuple(twice),
        before=inventory.items(),
        during=_during(stack, inventory, foreseen.rollout),
        after=inventory.items(dict.fromkeys((due.version for due in foreseen.deletes), 0)),
    )


def _upgrade(
    stack: str, planned: Planned, plan: Rollout | None, wait: timedelta | None
) -> tuple[tuple[Step, ...], tuple[Twice, ...]]:
    role = load_role(planned.role)
    new = Version(stack=stack, role=role.name, id=planned.version or UNNAMED)
    rollout = rollout_steps(role, plan or role.rollout, new, planned.live, planned.machines)
    create = creating(new.stack_name, version_template(role))
    beside = running_twice(role, plan or role.rollout, planned.live, planned.machines, rollout)
    return (*waiting(role.name, wait), create, *rollout), beside


def _during(stack: str, inventory: Inventory, rollout: tuple[Planned, ...]) -> Items:
    """At the end of the last upgrade, when the old versions of all roles still stay up."""
    return inventory.items(
        {
            Version(stack=stack, role=each.role, id=each.version or UNNAMED): each.machines
            for each in rollout
            if each.changed
        }
    )
