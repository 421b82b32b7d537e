"""What `retire`, `prune` and `sweep` would do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tasks.groups import find_group
from tasks.model import Version
from tasks.orphans import find_orphans
from tasks.planning.facts import Facts, lock_facts, role_facts
from tasks.planning.inventory import find_inventory
from tasks.planning.plan import NONE, Draft, Step
from tasks.planning.steps import counted, deleting, draining, parting, waiting
from tasks.retention import check_may_go
from tasks.retiring import find_retirable
from tasks.roles import load_role, role_names
from tasks.versions import find_working


def plan_retire(stack: str, role: str, version: str, force: bool, wait: timedelta | None) -> Draft:
    """An idle version goes."""
    kind, idle = load_role(role), Version(stack=stack, role=role, id=version)
    check_may_go(find_group(idle), find_working(stack, kind), datetime.now(UTC), force=force)
    size = find_inventory(stack).size(idle)
    drain = (draining(version, kind, kind.rollout.drain_rate),) if size else ()
    stop = Step(what=f"stop {counted(size, 'machine')} of {role} {version}", most=kind.patience.timeout)
    steps = (*waiting(role, wait), *drain, stop, deleting(idle.stack_name))
    return _leaving(stack, f"{stack}-{role}", role_facts(stack, kind), steps, (idle,))


def plan_prune(stack: str, roles: tuple[str, ...], wait: timedelta | None) -> Draft:
    """What is due for idle versions."""
    steps: list[Step] = []
    facts: Facts = {}
    gone: list[Version] = []
    for role in map(load_role, roles or role_names()):
        due = find_retirable(stack, role)
        facts |= role_facts(stack, role)
        if due:
            steps += [*waiting(role.name, wait), *parting(due, role)]
        gone += [each.version for each in due]
    return _leaving(stack, stack, facts, tuple(steps), tuple(gone))


def plan_sweep(stack: str, after: timedelta, wait: timedelta | None) -> Draft:
    """What runs that died have left."""
    orphans = find_orphans(stack, after)
    steps: list[Step] = []
    for each in orphans:
        steps += [
            *waiting(each.version.role, wait),
            Step(what=f"delete {each.version.role} {each.version.id}: {each.why}", most=deleting("").most),
        ]
    named = ", ".join(f"{each.version.role} {each.version.id}" for each in orphans)
    facts = {"what dead runs have left": named or NONE, **lock_facts(stack)}
    return _leaving(stack, stack, facts, tuple(steps), tuple(each.version for each in orphans))


def _leaving(stack: str, of: str, facts: Facts, steps: tuple[Step, ...], gone: tuple[Version, ...]) -> Draft:
    inventory = find_inventory(stack)
    items = inventory.items()
    return Draft(
        of=of, facts=facts, steps=steps, before=items, during=items, after=inventory.items(dict.fromkeys(gone, 0))
    )
