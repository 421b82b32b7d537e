"""Does what `reconcile` decided: to the rest of the cloud (`Actor`), and to the records (`note`)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from botocore.exceptions import BotoCoreError, ClientError

from tyrell.local.autoscaling import actions as do
from tyrell.local.autoscaling.groups import Groups
from tyrell.local.autoscaling.holds import hold
from tyrell.local.autoscaling.records import LAUNCHING, Activity, Group, Member
from tyrell.local.autoscaling.states import State
from tyrell.local.autoscaling.world import World

LONGEST_RETRY_SECONDS = 60


class Actor:
    """Acts on the rest of the cloud."""

    def __init__(self, world: World, groups: Groups, clock: Callable[[], datetime]) -> None:
        self._world = world
        self._lock = groups.lock
        self._clock = clock

    def carry_out(self, group: Group, action: do.Deed) -> None:
        """Do it, without the lock, and then write it down; botocore's errors when a service refuses."""
        match action:
            case do.Launch():
                self._launch(group, action)
            case do.Register() | do.Deregister():
                self._move_target(group.members[action.instance_id], action)
            case do.Terminate():
                self._terminate(group.members[action.instance_id])

    def _launch(self, group: Group, action: do.Launch) -> None:
        """Launch, or note a failed activity and put off the next attempt."""
        now = self._clock()
        if group.retry_at and now < group.retry_at:
            return  # an earlier launch of the same round failed
        activity = Activity("Launching a new EC2 instance", action.cause, now)
        try:
            launched = self._world.launch(group, action.subnet)
        except (ClientError, BotoCoreError) as refusal:
            with self._lock:
                message = f"{_told(refusal)} Launching EC2 instance failed."
                activity.description += f".  Status Reason: {message}"
                activity.end(now, "Failed", message)
                group.activities.appendleft(activity)
                _put_off_launches(group, now)
            return
        activity.description += f": {launched.instance_id}"
        activity.status, activity.progress = "PreInService", 30
        member = Member(**vars(launched), launched=now, activity=activity, protected=group.protect_new)
        with self._lock:
            group.members[member.instance_id] = member
            group.activities.appendleft(activity)

    def _move_target(self, member: Member, action: do.Register | do.Deregister) -> None:
        now = self._clock()
        for arn in sorted(action.target_groups):
            if isinstance(action, do.Register):
                self._world.register(member.instance_id, arn)
                with self._lock:
                    member.registered.add(arn)
                    member.draining.discard(arn)
                continue
            delay = self._world.deregistration_delay(arn)
            self._world.deregister(member.instance_id, arn)
            with self._lock:
                member.registered.discard(arn)
                member.draining.add(arn)
                member.drained_by = max(member.drained_by or now, now + timedelta(seconds=delay))
                if member.state is State.TERMINATING:
                    member.activity.status = "WaitingForELBConnectionDraining"

    def _terminate(self, member: Member) -> None:
        self._world.terminate(member.instance_id)
        with self._lock:
            member.termination_asked = True
            member.activity.status = "InProgress"
            if member.state is State.TERMINATING_WAIT:
                member.state = State.TERMINATING_PROCEED


def _told(refusal: ClientError | BotoCoreError) -> str:
    """The service's own message, without botocore's words around it."""
    return str(refusal.response["Error"]["Message"]) if isinstance(refusal, ClientError) else str(refusal)


def note(group: Group, action: do.Note, now: datetime) -> None:
    """Write it down. Under the groups' lock, the one under which it was decided: the API may change its mind later."""
    member = group.members[action.instance_id]
    match action:
        case do.HoldForHooks(transition=transition):
            member.holds = {hook.name: hold(hook, now) for hook in group.hooks_for(transition)}
            member.state = State.PENDING_WAIT if transition == LAUNCHING else State.TERMINATING_WAIT
            member.activity.status = "MidLifecycleAction"
        case do.PutInService():
            _put_in_service(group, member, now)
        case do.MarkUnhealthy(sickness=sickness):
            member.healthy, member.sickness = False, sickness
        case do.TakeOut():
            take_out(group, member, action, now)
        case do.StandBy():
            member.state = State.STANDBY
            member.draining.clear()
            member.activity.end(now)
        case do.Forget():
            member.activity.end(now)
            del group.members[member.instance_id]


def _put_in_service(group: Group, member: Member, now: datetime) -> None:
    member.state, member.in_service_since = State.IN_SERVICE, now
    member.holds.clear()
    # What starts while AddToLoadBalancer is suspended is not added later either, only by a new attachment:
    # https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-suspend-resume-processes.html
    if group.allows("AddToLoadBalancer"):
        member.wanted_targets = set(group.target_groups)
    member.activity.end(now)
    group.failures, group.retry_at = 0, None


def take_out(group: Group, member: Member, action: do.TakeOut, now: datetime) -> None:
    """Begin to terminate the instance: from now on it does not count. Under the groups' lock."""
    if action.failed_launch:
        member.activity.end(now, "Cancelled", action.failed_launch)
        _put_off_launches(group, now)
    elif member.activity.ended is None:
        member.activity.end(now, "Cancelled", "The instance was taken out of service before it was ready.")
    member.activity = Activity(f"Terminating EC2 instance: {member.instance_id}", action.cause, now)
    group.activities.appendleft(member.activity)
    member.state = State.TERMINATING
    member.wanted_targets = set()
    member.holds.clear()


def _put_off_launches(group: Group, now: datetime) -> None:
    """Try again after 1 s, and after twice the time with each failure in a row, up to a minute."""
    if group.retry_at and now < group.retry_at:
        return  # of several that fail together only the first one counts
    group.retry_at = now + timedelta(seconds=min(LONGEST_RETRY_SECONDS, 2**group.failures))
    group.failures += 1
