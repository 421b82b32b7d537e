"""What `network`, `base-stack` and `stack-update` would do."""

from __future__ import annotations

from datetime import timedelta

from tasks.bases import base_blueprint, check_base, find_standing
from tasks.model import Network, Stack
from tasks.networks import check_network, network_blueprint
from tasks.planning.applying import foresee_apply
from tasks.planning.facts import lock_facts
from tasks.planning.inventory import find_inventory
from tasks.planning.plan import Draft
from tasks.planning.steps import waiting
from tasks.planning.templates import items_of
from tasks.planning.upgrading import plan_upgrade
from tasks.renewals import find_renewal
from tasks.stacks import check_ours
from tasks.updates import INSTEAD, Update


def plan_network(network: Network, made_for: str) -> Draft:
    """A network as it is to be."""
    check_network(network)
    blueprint = network_blueprint(network, made_for)
    applied = foresee_apply(blueprint)
    after = items_of(blueprint.template)
    before = after if check_ours(network.name, "network") else {}
    return Draft(of=network.name, **applied.model_dump(), before=before, during=after, after=after)


def plan_base_stack(stack: Stack) -> Draft:
    """A base as it is to be."""
    check_base(stack)
    blueprint = base_blueprint(stack)
    inventory = find_inventory(stack.name)
    after = inventory.items() or items_of(blueprint.template)
    return Draft(
        of=stack.name,
        **foresee_apply(blueprint).model_dump(),
        before=inventory.items(),
        during=after,
        after=after,
    )


def plan_stack_update(
    stack: str,
    port: int | None,
    allow_replace: tuple[str, ...],
    core_services: bool | None,
    wait: timedelta | None,
) -> Draft:
    """What change sets say of network and base, then the upgrade of core-services."""
    network, wanted = find_standing(stack, port)
    check_base(wanted)
    renewal = find_renewal(stack, core_services)
    applied = [
        foresee_apply(blueprint, allow_replace, INSTEAD)
        for blueprint in (network_blueprint(network), base_blueprint(wanted))
    ]
    changes = tuple(change for each in applied for change in each.changes)
    updates = tuple(step for each in applied for step in each.steps)
    items = find_inventory(stack).items()
    agreed = Update(stack=stack, changes=changes, renewal=renewal)
    draft = Draft(
        of=stack,
        facts={**applied[0].facts, **applied[1].facts, **lock_facts(stack)},
        steps=(*waiting("any role", wait), *updates) if updates else (),
        changes=changes,
        before=items,
        during=items,
        after=items,
        fixes={"yes": True, "agreed": agreed.model_dump(mode="json")},
    )
    if renewal is None:
        return draft
    new = renewal.version
    upgrade = plan_upgrade(stack, new.role, renewal.release.ami, new.id, None, force=False, wait=wait)
    return draft.model_copy(
        update={
            "facts": draft.facts | upgrade.facts,
            "steps": draft.steps + upgrade.steps,
            "changes": draft.changes + upgrade.changes,
            "twice": upgrade.twice,
            "during": upgrade.during,
            "after": upgrade.after,
        }
    )
