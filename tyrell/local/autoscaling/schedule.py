"""Scheduled actions: when they run next, and what they do to their group.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-scheduled-scaling.html
"""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from tyrell.local.autoscaling.capacity import resize
from tyrell.local.autoscaling.causes import at, joined
from tyrell.local.autoscaling.errors import ValidationError
from tyrell.local.autoscaling.records import Activity, Group, ScheduledAction


def next_occurrence(recurrence: str, timezone: str | None, after: datetime) -> datetime:
    """The first time after `after` that the cron expression means, in UTC.

    `recurrence` has five fields (minute, hour, day of month, month, day of week) and is read in `timezone`, an IANA
    name, UTC without one. ValidationError when either is not understood.
    """
    try:
        zone = ZoneInfo(timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        raise ValidationError(f"The specified time zone is not valid: {timezone}") from None
    try:
        if len(recurrence.split()) != 5:
            raise CronSimError("Wrong number of fields")
        # UTC itself, not a zone named so: the parser treats zones with clock changes differently
        local = after.astimezone(UTC if zone.key == "UTC" else zone)
        return next(CronSim(recurrence, local)).astimezone(UTC)
    except (CronSimError, StopIteration):
        raise ValidationError(f"Given recurrence string: {recurrence} is invalid") from None


def plan(action: ScheduledAction, now: datetime) -> None:
    """Set when the action runs next: at its start when that is ahead, else by its recurrence until its end."""
    action.next_run = None
    if action.start and action.start > now:
        action.next_run = action.start
    elif action.recurrence:
        action.next_run = next_occurrence(action.recurrence, action.timezone, now)
    if action.next_run and action.end and action.next_run > action.end:
        action.next_run = None


def run_due(group: Group, now: datetime) -> bool:
    """Run the group's actions whose time has come; say whether there were any. Finished ones are removed, as on AWS.

    What comes due while ScheduledActions is suspended is missed, not made up for.
    """
    due = [action for action in group.schedule.values() if action.next_run and action.next_run <= now]
    for action in sorted(due, key=lambda action: (action.next_run or now, action.name)):
        if group.allows("ScheduledActions") and not group.deleting:
            _run(group, action, now)
        plan(action, now)
        if action.next_run is None:
            del group.schedule[action.name]
    return bool(due)


def _run(group: Group, action: ScheduledAction, now: datetime) -> None:
    before = group.desired
    cause = at(now, f"the scheduled action {action.name} was executed.")
    activity = Activity(f"Executing scheduled action {action.name}", cause, now)
    try:
        resize(group, action.minimum, action.maximum, action.desired)
    except ValidationError as refusal:
        activity.end(now, "Failed", refusal.message)
    else:
        change = at(
            now,
            f"a scheduled action update of AutoScalingGroup constraints to min: {group.minimum}, "
            f"max: {group.maximum}, desired: {group.desired} changing the desired capacity "
            f"from {before} to {group.desired}.",
        )
        activity.cause = joined(cause, change)
        activity.end(now)
        if before != group.desired:
            group.reason = change
    group.activities.appendleft(activity)
