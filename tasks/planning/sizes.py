"""What `scale`, `scale-workers` and `pause-workers` would do."""

from __future__ import annotations

from datetime import timedelta

from tasks.live_keys import find_pause
from tasks.model import Version
from tasks.planning.facts import lock_facts, role_facts
from tasks.planning.inventory import find_inventory
from tasks.planning.plan import NONE, Draft, Step
from tasks.planning.steps import IN_ITS_TIME, counted, starting, waiting
from tasks.role_parts import ByQueue
from tasks.roles import Role, load_role
from tasks.scaling import choose_leaving
from tasks.versions import find_live
from tasks.worker_plans import plan_workers
from tasks.workers import Crew, find_crew, worker_roles


def plan_scale(stack: str, role: str, size: int, wait: timedelta | None) -> Draft:
    """More or fewer machines for the live version."""
    kind = load_role(role)
    kind.check_size(size)
    group, inventory = find_live(stack, kind), find_inventory(stack)
    name, left = f"{role} {group.version.id}", len(group.machines) - size
    if size < group.desired:
        choose_leaving(group, kind, size)
        leave = Step(
            what=f"{counted(left, 'machine')} of {name} leave one after the other, drained first", most=IN_ITS_TIME
        )
        steps: tuple[Step, ...] = (
            leave,
            Step(what=f"wait until {counted(size, 'machine')} of it are healthy", most=2 * kind.patience.timeout),
        )
    else:
        steps = (starting(group.version, kind, size),)
    after = inventory.items({group.version: size})
    return Draft(
        of=f"{stack}-{role}",
        facts=role_facts(stack, kind),
        steps=(*waiting(role, wait), *steps),
        before=inventory.items(),
        during=inventory.items({group.version: max(size, group.desired)}),
        after=after,
    )


def plan_scale_workers(
    stack: str, roles: tuple[str, ...], run: bool, at_most: int | None, watch: timedelta, wait: timedelta | None
) -> Draft:
    """Workers for what waits in the queues. How many is told as of now: it is counted again when it is done."""
    inventory, facts, seen, most = find_inventory(stack), lock_facts(stack), [], {}
    steps = [*waiting("its workers", wait)]
    workers = [(role, role.traffic) for role in worker_roles(roles) if isinstance(role.traffic, ByQueue)]
    for role, kind in workers:
        crew = find_crew(stack, role, kind)
        allowed = role.size.max if at_most is None else min(role.size.max, at_most)
        facts |= {
            f"the live version of {role.name}": crew.version or NONE,
            f"pause of {role.name}": crew.paused or NONE,
        }
        seen.append(_told(crew, kind, allowed, run=run))
        if crew.version and not crew.paused:
            most[Version(stack=stack, role=role.name, id=crew.version)] = allowed
            steps.append(_working(role, kind, allowed, watch))
    return Draft(
        of=f"{stack}-workers",
        facts=facts,
        steps=tuple(steps),
        seen=tuple(seen),
        before=inventory.items(dict.fromkeys(most, 0)),
        during=inventory.items(most),
        after=inventory.items(dict.fromkeys(most, 0)),
    )


def _told(crew: Crew, kind: ByQueue, allowed: int, *, run: bool) -> str:
    able = allowed if crew.version and not crew.paused else 0
    wanted = plan_workers(crew.load, kind, crew.desired, able, run=run)
    return f"{crew.role}: {crew.waiting} messages wait, {crew.desired} workers are there, {wanted} would be asked for"


def _working(role: Role, kind: ByQueue, allowed: int, watch: timedelta) -> Step:
    what = f"have as many workers of {role.name} as its queue needs, {allowed} at most"
    return Step(what=f"{what}; each ends when it is done, after {kind.time_limit} at the latest", most=watch)


def plan_pause_workers(stack: str, paused: bool, roles: tuple[str, ...], wait: timedelta | None) -> Draft:
    """Workers are not started any more, or again; who works goes on."""
    steps: list[Step] = []
    facts = lock_facts(stack)
    for role in worker_roles(roles):
        pause = find_pause(stack, role.name)
        facts[f"pause of {role.name}"] = str(pause or NONE)
        if bool(pause) != paused:
            what = f"start no worker of {role.name} any more" if paused else f"let workers of {role.name} be started"
            steps += [*waiting(role.name, wait), Step(what=what)]
    items = find_inventory(stack).items()
    return Draft(of=f"{stack}-workers", facts=facts, steps=tuple(steps), before=items, during=items, after=items)
