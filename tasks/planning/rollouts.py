"""The steps of a rollout, in the order of `tasks.rollout`, and which machines run twice meanwhile. Pure."""

from __future__ import annotations

import math
from datetime import timedelta

from tasks.model import Version
from tasks.planning.plan import Step, Twice, longest, shortest
from tasks.planning.steps import IN_ITS_TIME, counted, draining, starting
from tasks.pointer import BELIEF
from tasks.roles import Role
from tasks.rollouts import FULL, Rollout, Strategy

ANSWER = timedelta(seconds=5)
"""The longest that an answer is waited for."""


def rollout_steps(role: Role, plan: Rollout, new: Version, old: str, machines: int) -> tuple[Step, ...]:
    """What is done once the new version's stack is there; `machines` are as many as the `old` one has."""
    if role.traffic.kind == "none":
        return _in_batches(role, plan, new, old, machines)
    if role.traffic.kind == "queue":
        first = f"start one machine of {role.name} {new.id}, until it has done all there was or worked well"
        most = role.patience.timeout + plan.min_healthy_time
        return (Step(what=first, most=most), *_smoke(role, plan, new), *_shifts(role, plan, new))
    return (
        starting(new, role, machines, plan.min_healthy_time),
        *_smoke(role, plan, new),
        *_shifts(role, plan, new),
        draining(old, role, plan.drain_rate),
    )


def _smoke(role: Role, plan: Rollout, new: Version) -> tuple[Step, ...]:
    if not plan.smoke:
        return ()
    asked = sum(check.times for check in plan.smoke)
    what = f"ask every member of {role.name} {new.id} {counted(asked, 'smoke request')}"
    return (Step(what=what, most=asked * ANSWER),)


def _shifts(role: Role, plan: Rollout, new: Version) -> tuple[Step, ...]:
    steps: list[Step] = []
    for percent in plan.percents:
        if percent in plan.approve_before:
            steps.append(Step(what=f"ask a person before {percent} %", most=plan.approval_timeout))
        steps.append(_shift(role, plan, new, percent))
    return tuple(steps)


def _shift(role: Role, plan: Rollout, new: Version, percent: int) -> Step:
    if role.traffic.kind == "queue":
        return Step(what=f"{new.id} works off the queue from now on; machines of the old version finish their batch")
    believed = role.patience.timeout + BELIEF.timeout if role.traffic.kind == "registry" else timedelta()
    deadline = plan.gate.deadline if plan.gate else timedelta()
    share = "all traffic" if percent == FULL else f"{percent} % of the traffic"
    watch = f" and judge its requests for {plan.pause}" if plan.gate else f" and watch it for {plan.pause}"
    what = f"give {role.name} {new.id} {share}{watch if plan.watched else ''}"
    return Step(what=what, least=plan.pause, most=plan.pause + deadline + believed)


def _in_batches(role: Role, plan: Rollout, new: Version, old: str, machines: int) -> tuple[Step, ...]:
    recreate = plan.strategy is Strategy.recreate
    batches = 1 if recreate or not machines else math.ceil(machines / plan.batch)
    one = 3 * role.patience.timeout + plan.min_healthy_time  # new ones healthy, old ones gone, those that stay healthy
    how = "all at once, the old ones go first" if recreate else f"{plan.batch} at a time, the new ones first"
    what = f"replace {counted(machines, 'machine')} of {role.name} {old} by {new.id}, {how}"
    return (
        Step(what=what, least=batches * plan.min_healthy_time, most=batches * one),
        *_smoke(role, plan, new),
    )


def running_twice(role: Role, plan: Rollout, old: str, machines: int, steps: tuple[Step, ...]) -> tuple[Twice, ...]:
    """Which machines, from the first of the rollout's `steps` on."""
    if role.traffic.kind == "none":
        more = 0 if plan.strategy is Strategy.recreate else min(plan.batch, machines)
        return _twice(role, more, steps, timedelta(), "the last batch is replaced")
    if role.traffic.kind == "queue":
        return _twice(role, 1, steps, timedelta(), "the new version works alone")
    until = f"`tyrell prune` finds that {old} has been idle for {plan.rollback_window}"
    return _twice(role, machines, steps, plan.rollback_window, until)


def _twice(role: Role, machines: int, steps: tuple[Step, ...], after: timedelta, until: str) -> tuple[Twice, ...]:
    if not machines:
        return ()
    most = longest(steps)
    bound = IN_ITS_TIME if most is None else most + after
    return (Twice(role=role.name, machines=machines, least=shortest(steps) + after, most=bound, until=until),)
