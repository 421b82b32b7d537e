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


def plan_switch(stack: str, role: str, version: str, percent: int, rest: str, wait: timedelta | None) -> Draft:
    """Traffic to a version that is there; the one that had it stays up."""
    kind, to = load_role(role), Version(stack=stack, role=role, id=version)
    if kind.traffic.kind == "none":
        raise UsageError(f"role {role} has no traffic to switch")
    shares, inventory = find_shares(stack, kind), find_inventory(stack)
    wanted = {version: percent} | ({rest: FULL - percent} if rest else {})
    health = find_health(find_group(to), kind)
    left = [Version(stack=stack, role=role, id=name) for name, share in shares.items() if share == percent == FULL]
    leaving = [each for each in left if each != to]
    told = " and ".join(f"{role} {name} {share} % of the traffic" for name, share in wanted.items())
    write = Step(what=f"give {told}, in one write", most=_takes(kind))
    items = inventory.items()
    return Draft(
        of=f"{stack}-{role}",
        facts=role_facts(stack, kind),
        steps=() if shares == wanted else (*waiting(role, wait), write),
        twice=tuple(_staying(each, kind, inventory.size(each)) for each in leaving),
        seen=(f"{health.healthy} of {health.wanted} members of {role} {version} are healthy",),
        before=items,
        during=items,
        after=inventory.items(dict.fromkeys(leaving, 0)),
    )


def _staying(version: Version, role: Role, machines: int) -> Twice:
    window = role.rollout.rollback_window
    until = f"`tyrell prune` finds that {version.id} has been idle for {window}"
    return Twice(role=role.name, machines=machines, least=window, most=None, until=until)


def _takes(role: Role) -> timedelta:
    """A pointer is believed by every router; a weight is read back at once."""
    return role.patience.timeout + BELIEF.timeout if role.traffic.kind == "registry" else timedelta()


def plan_rollback(stack: str, role: str, to: str, force: bool, wait: timedelta | None) -> Draft:
    """Traffic back to where it came from; the version it leaves goes."""
    kind = load_role(role)
    leaving, inventory = find_leaving(stack, kind, to), find_inventory(stack)
    if leaving is None:
        items = inventory.items()
        return Draft(
            of=f"{stack}-{role}", facts=role_facts(stack, kind), steps=(), before=items, during=items, after=items
        )
    back = Version(stack=stack, role=role, id=to) if to else find_way_back(stack, kind, leaving.id)
    check_may_go_back(back, kind, force=force)
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
