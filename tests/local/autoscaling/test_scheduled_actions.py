"""Scheduled actions through the API, with the clock put forward."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.autoscaling.cloud import Cloud
from tests.waiting import eventually


def put(cloud: Cloud, group: str, action: str, **more: Any) -> None:
    cloud.autoscaling.put_scheduled_update_group_action(AutoScalingGroupName=group, ScheduledActionName=action, **more)


def actions(cloud: Cloud, group: str) -> list[dict[str, Any]]:
    told = cloud.autoscaling.describe_scheduled_actions(AutoScalingGroupName=group)
    return list(told["ScheduledUpdateGroupActions"])


def test_a_one_off_action_scales_its_group_at_its_time(cloud: Cloud, name: str) -> None:
    cloud.create(name)
    put(cloud, name, "grow", StartTime=cloud.clock() + timedelta(hours=1), MinSize=1, MaxSize=2, DesiredCapacity=2)
    assert [action["ScheduledActionName"] for action in actions(cloud, name)] == ["grow"]
    cloud.forward(hours=1)
    cloud.await_in_service(name, 2)
    group = cloud.group(name)
    assert group
    assert (group["MinSize"], group["MaxSize"]) == (1, 2)
    assert "Executing scheduled action grow" in {activity["Description"] for activity in cloud.activities(name)}
    assert actions(cloud, name) == []


def test_two_groups_may_use_one_name_for_their_actions(cloud: Cloud, name: str) -> None:
    other = f"{name}-b"
    for each, desired in ((name, 1), (other, 2)):
        cloud.create(each)
        put(cloud, each, "nightly", Recurrence="0 3 * * *", TimeZone="Europe/Berlin", DesiredCapacity=desired)
    assert [action["DesiredCapacity"] for each in (name, other) for action in actions(cloud, each)] == [1, 2]
    cloud.autoscaling.delete_scheduled_action(AutoScalingGroupName=name, ScheduledActionName="nightly")
    assert [len(actions(cloud, each)) for each in (name, other)] == [0, 1]
    cloud.autoscaling.delete_auto_scaling_group(AutoScalingGroupName=other)


def test_a_recurring_action_shows_when_it_runs_next(cloud: Cloud, name: str) -> None:
    cloud.create(name)
    put(cloud, name, "hourly", Recurrence="0 * * * *", DesiredCapacity=0)
    (action,) = actions(cloud, name)
    now = cloud.clock()
    assert now < action["StartTime"] <= now + timedelta(hours=1)
    assert action["StartTime"].minute == 0
    assert action["Recurrence"] == "0 * * * *"


def test_a_batch_puts_what_it_can_and_tells_the_rest(cloud: Cloud, name: str) -> None:
    cloud.create(name)
    told = cloud.autoscaling.batch_put_scheduled_update_group_action(
        AutoScalingGroupName=name,
        ScheduledUpdateGroupActions=[
            {"ScheduledActionName": "good", "Recurrence": "0 * * * *", "DesiredCapacity": 1},
            {"ScheduledActionName": "bad", "Recurrence": "at noon", "DesiredCapacity": 1},
        ],
    )
    (failed,) = told["FailedScheduledUpdateGroupActions"]
    assert (failed["ScheduledActionName"], failed["ErrorCode"]) == ("bad", "ValidationError")
    told = cloud.autoscaling.batch_delete_scheduled_action(
        AutoScalingGroupName=name, ScheduledActionNames=["good", "bad"]
    )
    assert [failed["ScheduledActionName"] for failed in told["FailedScheduledActions"]] == ["bad"]
    assert actions(cloud, name) == []


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"DesiredCapacity": 1}, "Either a StartTime or a Recurrence"),
        ({"Recurrence": "0 * * * *"}, "At least one of MinSize, MaxSize and DesiredCapacity"),
        ({"Recurrence": "0 * * * *", "MinSize": 2, "MaxSize": 1}, "Max bound, 1, must be greater"),
        ({"StartTime": "2020-01-01T00:00:00Z", "DesiredCapacity": 1}, "Given start time is in the past"),
        ({"Recurrence": "0 * * * *", "EndTime": "2020-01-01T00:00:00Z", "MinSize": 0}, "would never run"),
        ({"Recurrence": "0 * * * *", "TimeZone": "Mars/Base", "MinSize": 0}, "time zone is not valid: Mars/Base"),
    ],
)
def test_an_action_that_cannot_run_is_refused(cloud: Cloud, name: str, more: dict[str, Any], message: str) -> None:
    cloud.create(name)
    with pytest.raises(ClientError, match=message):
        put(cloud, name, "odd", **more)
    assert actions(cloud, name) == []


def test_a_suspended_schedule_does_nothing(cloud: Cloud, name: str) -> None:
    cloud.create(name)
    put(cloud, name, "grow", StartTime=cloud.clock() + timedelta(hours=1), DesiredCapacity=1)
    cloud.autoscaling.suspend_processes(AutoScalingGroupName=name, ScalingProcesses=["ScheduledActions"])
    cloud.forward(hours=2)
    eventually("its time is over", lambda: not actions(cloud, name))
    group = cloud.group(name)
    assert group
    assert group["DesiredCapacity"] == 0
