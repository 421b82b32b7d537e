"""What `switch` and `rollback` would do."""

from __future__ import annotations

from datetime import timedelta

from tasks.errors import UsageError
from tasks.groups import find_group
from tasks.health import find_health
from tasks.model import Version
from tasks.planning.facts import role_facts
from tasks.planning.inventory import find_inventory
from tasks.planning.plan import Draft, Step, Twice
from tasks.planning.steps import counted, draining, waiting
from tasks.pointer import BELIEF
from tasks.roles import Role, load_role
from tasks.rollouts import FULL
from tasks.switching import check_may_go_back
from tasks.versions import find_leaving, find_shares, find_way_back


def plan_switch(version: Version, percent: int, rest: Version | None, wait: timedelta | None) -> Draft:
    """Traffic to a version that is there; the one that had it stays up."""
    stack, role = version.stack, load_role(version.role)
    if role.traffic.kind == "none":
        raise UsageError(f"role {role.name} has no traffic to switch")
    shares = find_shares(stack, role)
    wanted = {version.id: percent} | ({rest.id: FULL - percent} if rest else {})
    group, inventory = find_group(version), find_inventory(stack)
    leaving = [name for name, share in shares.items() if share == FULL and percent == FULL and name != version.id]
    told = " and ".join(f"{role.name} {name} {share} % of the traffic" for name, share in wanted.items())
    write = Step(what=f"give {told}, in one write", most=_takes(role))
    health = find_health(group, role)
    items = inventory.items()
    return Draft(
        of=f"{stack}-{role.name}",
        facts=role_facts(stack, role),
        steps=() if shares == wanted else (*waiting(role.name, wait), write),
        twice=tuple(
            Twice(
                role=role.name,
                machines=inventory.size(version.model_copy(update={"id": name})),
                least=role.rollout.rollback_window,
                most=None,
                until=f"`tyrell prune` finds that {name} has been idle for {role.rollout.rollback_window}",
            )
            for name in leaving
        ),
        seen=(f"{health.healthy} of {health.wanted} members of {role.name} {version.id} are healthy",),
        before=items,
        during=items,
        after=inventory.items({version.model_copy(update={"id": name}): 0 for name in leaving}),
    )


def _takes(role: Role) -> timedelta:
    """A pointer is believed by every router; a weight is read back at once."""
    return role.patience.timeout + BELIEF.timeout if role.traffic.kind == "registry" else timedelta()


def plan_rollback(stack: str, role: str, to: str, force: bool, wait: timedelta | None) -> Draft:
    """Traffic back to where it came from; the version it leaves goes."""
    kind = load_role(role)
    leaving = find_leaving(stack, kind, to)
    back = Version(stack=stack, role=role, id=to) if to else find_way_back(stack, kind, leaving.id)
    check_may_go_back(back, kind, force=force)
    inventory = find_inventory(stack)
    return Draft(
        of=f"{stack}-{role}",
        facts=role_facts(stack, kind),
        steps=(
            *waiting(role, wait),
            Step(what=f"give {role} {back.id} all traffic, in one write", most=_takes(kind)),
            Step(what=f"mark {role} {leaving.id} as bad"),
            draining(leaving.id, kind, kind.rollout.drain_rate),
            Step(what=f"stop {counted(inventory.size(leaving), 'machine')} of {role} {leaving.id}"),
        ),
        before=inventory.items(),
        during=inventory.items(),
        after=inventory.items({leaving: 0}),
        fixes={"to": back.id},
    )
