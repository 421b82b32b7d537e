"""The decision: from what a group wants and what was seen of its instances to what is to be done. No I/O, no clock.

An instance's states and their order:
https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from tyrell.local.autoscaling import actions as do
from tyrell.local.autoscaling.capacity import towards_desired
from tyrell.local.autoscaling.causes import at
from tyrell.local.autoscaling.holds import abandonment, verdict
from tyrell.local.autoscaling.observed import Seen, sickness, still_draining
from tyrell.local.autoscaling.records import LAUNCHING, TERMINATING, Group, Member
from tyrell.local.autoscaling.states import LEAVING, State


def decide(group: Group, seen: Seen, now: datetime) -> list[do.Action]:
    """What to do now: at most one step per instance, then launches or scale-in towards the desired capacity."""
    steps = [step for member in group.members.values() if (step := _next_step(group, member, seen, now))]
    taken_out = {step.instance_id for step in steps if isinstance(step, do.TakeOut)}
    return [*steps, *towards_desired(group, taken_out, now)]


def _next_step(group: Group, member: Member, seen: Seen, now: datetime) -> do.Action | None:
    if group.deleting and member.state not in LEAVING:
        return do.TakeOut(member.instance_id, at(now, "a user request deleted the AutoScalingGroup."))
    return _STEPS[member.state](group, member, seen, now)


def _starting(group: Group, member: Member, seen: Seen, now: datetime) -> do.Action | None:
    if not seen.alive(member.instance_id):
        return _died_at_launch(member, seen, now)
    if seen.states[member.instance_id] != "running":
        return None
    if group.hooks_for(LAUNCHING):
        return do.HoldForHooks(member.instance_id, LAUNCHING)
    return do.PutInService(member.instance_id)


def _held_at_launch(_: Group, member: Member, seen: Seen, now: datetime) -> do.Action | None:
    if not seen.alive(member.instance_id):
        return _died_at_launch(member, seen, now)
    match verdict(member, now):
        case "CONTINUE":
            return do.PutInService(member.instance_id)
        case "ABANDON":
            cause = at(now, "an instance was taken out of service in response to an abandoned lifecycle action.")
            return do.TakeOut(member.instance_id, cause, failed_launch=abandonment(member, now))
    return None


def _died_at_launch(member: Member, seen: Seen, now: datetime) -> do.Action:
    state = seen.states.get(member.instance_id, "terminated")
    cause = at(now, "an instance was taken out of service in response to a launch failure.")
    failure = f"Instance became {state} before it was in service. {seen.reasons.get(member.instance_id, '')}"
    return do.TakeOut(member.instance_id, cause, failed_launch=failure.strip())


def _in_service(group: Group, member: Member, seen: Seen, now: datetime) -> do.Action | None:
    if member.healthy and group.allows("HealthCheck") and (found := sickness(group, member, seen, now)):
        return do.MarkUnhealthy(member.instance_id, found)
    if not member.healthy and group.allows("ReplaceUnhealthy") and group.allows("Terminate"):
        cause = at(now, f"an instance was taken out of service in response to {member.sickness}.")
        return do.TakeOut(member.instance_id, cause)
    return _move_targets(member)


def _going_to_standby(_: Group, member: Member, seen: Seen, now: datetime) -> do.Action | None:
    if move := _move_targets(member):
        return move
    return None if still_draining(member, seen, now) else do.StandBy(member.instance_id)


def _standing_by(_group: Group, _member: Member, _seen: Seen, _now: datetime) -> None:
    """An instance on standby is not health-checked; only the user moves it."""


def _terminating(group: Group, member: Member, seen: Seen, now: datetime) -> do.Action | None:
    if member.termination_asked:
        return _forget_when_terminated(member, seen)
    if move := _move_targets(member):
        return move
    if still_draining(member, seen, now):
        return None
    if group.hooks_for(TERMINATING) and not group.deleting:
        return do.HoldForHooks(member.instance_id, TERMINATING)
    return do.Terminate(member.instance_id)


def _held_at_termination(group: Group, member: Member, _seen: Seen, now: datetime) -> do.Action | None:
    """Deleting a group by force ends its outstanding lifecycle actions (DeleteAutoScalingGroup, API reference)."""
    return do.Terminate(member.instance_id) if group.deleting or verdict(member, now) else None


def _proceeding(_: Group, member: Member, seen: Seen, _now: datetime) -> do.Action | None:
    return _forget_when_terminated(member, seen)


def _forget_when_terminated(member: Member, seen: Seen) -> do.Action | None:
    gone = seen.states.get(member.instance_id, "terminated") == "terminated"
    return do.Forget(member.instance_id) if gone else None


def _move_targets(member: Member) -> do.Action | None:
    """Into the target groups it belongs into, or out of those it does not."""
    if surplus := member.registered - member.wanted_targets:
        return do.Deregister(member.instance_id, frozenset(surplus))
    if missing := member.wanted_targets - member.registered:
        return do.Register(member.instance_id, frozenset(missing))
    return None


_STEPS: dict[State, Callable[[Group, Member, Seen, datetime], do.Action | None]] = {
    State.PENDING: _starting,
    State.PENDING_WAIT: _held_at_launch,
    State.IN_SERVICE: _in_service,
    State.ENTERING_STANDBY: _going_to_standby,
    State.STANDBY: _standing_by,
    State.TERMINATING: _terminating,
    State.TERMINATING_WAIT: _held_at_termination,
    State.TERMINATING_PROCEED: _proceeding,
}
