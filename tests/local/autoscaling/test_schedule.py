"""Scheduled actions: when they run, with a clock of the test's own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.local.autoscaling.builders import NOW, a_group
from tyrell.local.autoscaling.errors import ValidationError
from tyrell.local.autoscaling.records import Group, ScheduledAction
from tyrell.local.autoscaling.schedule import next_occurrence, plan, run_due


def scheduled(**more: Any) -> tuple[Group, ScheduledAction]:
    """A group of 1 and an action that is planned at NOW and sets it to 3."""
    action = ScheduledAction("grow", desired=3, **more)
    plan(action, NOW)
    return a_group(desired=1, schedule={"grow": action}), action


@pytest.mark.parametrize(
    ("recurrence", "timezone", "expected"),
    [
        ("30 14 * * *", None, datetime(2026, 11, 22, 14, 30, tzinfo=UTC)),
        ("0 14 * * *", None, datetime(2026, 11, 23, 14, 0, tzinfo=UTC)),
        ("0 9 * * MON-FRI", "Europe/Berlin", datetime(2026, 11, 23, 8, 0, tzinfo=UTC)),
        ("0 9 1 7 *", "Europe/Berlin", datetime(2027, 7, 1, 7, 0, tzinfo=UTC)),
        ("*/15 * * * *", "Asia/Kolkata", datetime(2026, 11, 22, 14, 15, tzinfo=UTC)),
    ],
)
def test_a_recurrence_is_read_in_its_time_zone(recurrence: str, timezone: str | None, expected: datetime) -> None:
    assert next_occurrence(recurrence, timezone, NOW) == expected


@pytest.mark.parametrize(
    ("recurrence", "timezone"),
    [("61 * * * *", None), ("* * * *", None), ("0 * * * * *", None), ("0 0 30 2 *", None), ("0 9 * * *", "Mars/Base")],
)
def test_what_cannot_be_understood_is_refused(recurrence: str, timezone: str | None) -> None:
    with pytest.raises(ValidationError, match=r"is invalid|not valid"):
        next_occurrence(recurrence, timezone, NOW)


def test_an_action_runs_at_its_time_and_not_before() -> None:
    group, action = scheduled(recurrence="30 14 * * *")
    assert not run_due(group, NOW + timedelta(minutes=29))
    assert group.desired == 1
    assert run_due(group, NOW + timedelta(minutes=30))
    assert group.desired == 3
    assert action.next_run == NOW + timedelta(days=1, minutes=30)


def test_an_action_leaves_an_activity_and_a_reason_for_the_launches() -> None:
    group, _ = scheduled(recurrence="30 14 * * *")
    run_due(group, NOW + timedelta(minutes=30))
    assert [(a.description, a.status) for a in group.activities] == [("Executing scheduled action grow", "Successful")]
    assert "changing the desired capacity from 1 to 3" in group.reason


def test_a_one_off_action_runs_once_and_is_gone() -> None:
    group, _ = scheduled(start=NOW + timedelta(hours=1))
    run_due(group, NOW + timedelta(hours=1))
    assert group.desired == 3
    assert group.schedule == {}


def test_a_recurring_action_runs_first_at_its_start() -> None:
    start = NOW + timedelta(hours=1, minutes=7)
    group, action = scheduled(recurrence="0 * * * *", start=start)
    assert action.next_run == start
    run_due(group, start)
    assert action.next_run == NOW + timedelta(hours=2)


def test_a_recurring_action_ends_at_its_end() -> None:
    group, _ = scheduled(recurrence="0 * * * *", end=NOW + timedelta(hours=1, minutes=30))
    run_due(group, NOW + timedelta(hours=1))
    assert group.schedule == {}


def test_a_suspended_action_is_missed_and_not_made_up_for() -> None:
    group, action = scheduled(recurrence="0 * * * *")
    group.suspended["ScheduledActions"] = "User suspended"
    run_due(group, NOW + timedelta(hours=1))
    del group.suspended["ScheduledActions"]
    run_due(group, NOW + timedelta(hours=1, minutes=1))
    assert group.desired == 1
    assert not group.activities
    assert action.next_run == NOW + timedelta(hours=2)


def test_an_action_beyond_the_bounds_is_a_failed_activity() -> None:
    group, action = scheduled(recurrence="0 * * * *")
    action.desired = 99
    run_due(group, NOW + timedelta(hours=1))
    (activity,) = group.activities
    assert (activity.status, group.desired) == ("Failed", 1)
    assert activity.message == "Desired capacity:99 must be between the specified min size:0 and max size:9"
