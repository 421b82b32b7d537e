"""What `bring-up` would do."""

from __future__ import annotations

from collections.abc import Mapping

from tasks.amis import find_release
from tasks.bases import base_blueprint, check_base
from tasks.model import Network, Release, Stack, Version
from tasks.monitoring.stacks import attachment_blueprint, check_attachable, find_attached_to
from tasks.networks import check_network, network_blueprint
from tasks.planning.applying import foresee_apply
from tasks.planning.facts import lock_facts
from tasks.planning.inventory import find_inventory
from tasks.planning.plan import NONE, Draft, Step, added
from tasks.planning.templates import items_of
from tasks.roles import Role, in_stages, load_role, roles_beside
from tasks.stacks import PATIENCE
from tasks.versions import check_made_of, is_live


def plan_bring_up(
    network: Network,
    stack: Stack,
    ami: str,
    version: str,
    sizes: dict[str, int] | None,
    metrics: str,
    metrics_optional: bool,
) -> Draft:
    """Everything that is not there yet."""
    chosen = {name: load_role(name).check_size(size) for name, size in (sizes or {}).items()}
    release = find_release(ami, version)
    check_network(network)
    check_base(stack)
    if metrics and not metrics_optional:
        check_attachable(stack.name, stack.network, metrics)
    blueprints = (network_blueprint(network, stack.name), base_blueprint(stack))
    attachment = (attachment_blueprint(stack.name, metrics),) if metrics else ()
    applied = [foresee_apply(blueprint) for blueprint in (*blueprints, *attachment)]
    attached = metrics or find_attached_to(stack.name)
    roles = roles_beside(["metrics"] if attached else [])
    missing = [role for role in roles if not is_live(stack.name, role)]
    live = ", ".join(role.name for role in roles if role not in missing)
    inventory = find_inventory(stack.name)
    wanted = inventory.model_copy(update={"fixed": added(*(items_of(each.template) for each in blueprints))})
    after = wanted.items(_sizes(stack.name, missing, release, chosen))
    return Draft(
        of=stack.name,
        facts={
            **{what: how for each in applied for what, how in each.facts.items()},
            **lock_facts(stack.name),
            f"the live roles of {stack.name}": live or NONE,
            f"the metrics stack of {stack.name}": find_attached_to(stack.name) or NONE,
        },
        steps=(
            *(step for each in applied for step in each.steps),
            *_deploys(missing, chosen),
            *_switches(missing),
        ),
        changes=tuple(change for each in applied for change in each.changes),
        before=inventory.items(),
        during=after,
        after=after,
        fixes={"ami": release.ami, "version": release.id},
    )


def _size(role: Role, chosen: Mapping[str, int]) -> int:
    return 0 if role.traffic.kind == "queue" else chosen.get(role.name, role.size.default)


def _sizes(stack: str, roles: list[Role], release: Release, chosen: Mapping[str, int]) -> dict[Version, int]:
    versions = {role.name: Version(stack=stack, role=role.name, id=release.id) for role in roles}
    for version in versions.values():
        check_made_of(version, release)
    return {versions[role.name]: _size(role, chosen) for role in roles}


def _deploys(roles: list[Role], chosen: Mapping[str, int]) -> tuple[Step, ...]:
    """A step for the roles that are deployed at the same time."""
    return tuple(
        Step(
            what="deploy, until all machines are healthy: "
            + ", ".join(f"{role.name} ({_size(role, chosen)})" for role in stage),
            most=max(PATIENCE.timeout + role.patience.timeout for role in stage),
        )
        for stage in in_stages(roles)
    )


def _switches(roles: list[Role]) -> tuple[Step, ...]:
    served = [role for role in roles if role.traffic.kind != "none"]
    if not served:
        return ()
    most = max(role.patience.timeout for role in served)
    return (Step(what=f"make live: {', '.join(role.name for role in served)}", most=most),)
