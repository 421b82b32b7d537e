"""Put, delete and describe scheduled actions; a name means an action of its own in every group."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from moto.core.responses import ActionResult

from tyrell.local.autoscaling.api.base import Operations
from tyrell.local.autoscaling.api.present import scheduled_action_view
from tyrell.local.autoscaling.capacity import check_bounds
from tyrell.local.autoscaling.errors import ValidationError
from tyrell.local.autoscaling.records import Group, ScheduledAction
from tyrell.local.autoscaling.schedule import plan


class ScheduleOperations(Operations):
    """The operations on scheduled actions."""

    def put_scheduled_update_group_action(self) -> ActionResult:
        """PutScheduledUpdateGroupAction: create it or put it in the place of the old one."""
        self._put(self.group_to_change(), self.params)
        return self.done()

    def batch_put_scheduled_update_group_action(self) -> ActionResult:
        """BatchPutScheduledUpdateGroupAction: those that cannot be put are told, the others are put."""
        group = self.group_to_change()
        requests = self.params["ScheduledUpdateGroupActions"]
        failed = _failures(requests, lambda request: self._put(group, request), lambda r: r["ScheduledActionName"])
        return self.done(FailedScheduledUpdateGroupActions=failed)

    def delete_scheduled_action(self) -> ActionResult:
        """DeleteScheduledAction; ValidationError when the group has none of that name."""
        _delete(self.group_to_change(), self.params["ScheduledActionName"])
        return self.done()

    def batch_delete_scheduled_action(self) -> ActionResult:
        """BatchDeleteScheduledAction: those that are not there are told."""
        group = self.group_to_change()
        names = self.params["ScheduledActionNames"]
        return self.done(FailedScheduledActions=_failures(names, lambda name: _delete(group, name), str))

    def describe_scheduled_actions(self) -> ActionResult:
        """DescribeScheduledActions: of all groups or of one, by names and by the time of the next run."""
        params = self.params
        name, wanted = params.get("AutoScalingGroupName"), params.get("ScheduledActionNames", [])
        found = [
            (group, action)
            for group in ([self.groups.get(name)] if name else self.groups.all())
            for action in group.schedule.values()
            if (not wanted or action.name in wanted) and _runs_between(action, params)
        ]
        page, token = self.page(found)
        return ActionResult({"ScheduledUpdateGroupActions": [scheduled_action_view(*pair) for pair in page], **token})

    def _put(self, group: Group, params: Mapping[str, Any]) -> None:
        now = self.clock()
        action = ScheduledAction(
            name=params["ScheduledActionName"],
            recurrence=params.get("Recurrence"),
            timezone=params.get("TimeZone"),
            start=_utc(params.get("StartTime") or params.get("Time")),
            end=_utc(params.get("EndTime")),
            minimum=params.get("MinSize"),
            maximum=params.get("MaxSize"),
            desired=params.get("DesiredCapacity"),
        )
        if action.start is None and action.recurrence is None:
            raise ValidationError("Either a StartTime or a Recurrence must be specified")
        if action.start and action.start < now:
            raise ValidationError("Given start time is in the past")
        if action.minimum is action.maximum is action.desired is None:
            raise ValidationError("At least one of MinSize, MaxSize and DesiredCapacity must be specified")
        if action.minimum is not None and action.maximum is not None:
            check_bounds(action.minimum, action.maximum)
        plan(action, now)
        if action.next_run is None:
            raise ValidationError("The scheduled action would never run: its EndTime is before its first time")
        group.schedule[action.name] = action


def _utc(moment: datetime | None) -> datetime | None:
    """A time of a request, which moto parses to one without a time zone."""
    return moment and moment.replace(tzinfo=UTC)


def _delete(group: Group, name: str) -> None:
    if group.schedule.pop(name, None) is None:
        raise ValidationError(f"Scheduled action name not found: {name}")


def _runs_between(action: ScheduledAction, params: Mapping[str, Any]) -> bool:
    """Whether the action's next run is within the StartTime and EndTime of the request."""
    after, before = _utc(params.get("StartTime")), _utc(params.get("EndTime"))
    run = action.next_run
    return run is not None and (after is None or run >= after) and (before is None or run <= before)


def _failures(requests: Iterable[Any], do: Callable[[Any], None], name: Callable[[Any], str]) -> list[dict[str, str]]:
    """Do each; give back those that were refused, as FailedScheduledUpdateGroupActionRequest."""
    failed = []
    for request in requests:
        try:
            do(request)
        except ValidationError as refusal:
            failed.append(
                {"ScheduledActionName": name(request), "ErrorCode": refusal.code, "ErrorMessage": refusal.message}
            )
    return failed
