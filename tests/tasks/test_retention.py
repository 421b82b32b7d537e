"""What becomes of versions that do not work any more, and when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tasks.errors import UsageError
from tasks.marks import HOT_UNTIL, LEFT
from tasks.model import Group
from tasks.pins import PINNED
from tasks.retention import Fate, check_may_go, find_due
from tasks.rollouts import Rollout
from tests.tasks.simulation import a_version

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
ROLLOUT = Rollout(rollback_window=timedelta(hours=1), keep_versions=2, keep_for=timedelta(days=7))
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def a_group(name: str, size: int = 0, left: timedelta | None = None, to: str = "") -> Group:
    """A version that lost its traffic so long ago, and is held for an upgrade to `to`."""
    tags = {PINNED: f"to={to} min=0 size={size} suspended="} if to else {}
    if left is not None:
        tags |= {LEFT: (NOW - left).isoformat(), HOT_UNTIL: (NOW - left + ROLLOUT.rollback_window).isoformat()}
    return Group(
        name=f"lab-router-{name}",
        version=a_version(name),
        release=name,
        min=0,
        max=9,
        desired=size,
        target_groups=(),
        machines=(),
        tags=tags,
    )


def due(*groups: Group, bad: str = "") -> dict[str, Fate]:
    """What is due, by version, while version `live` works and `bad` is known bad."""
    marked = {bad: "it failed"} if bad else {}
    found = find_due(groups, {"live": 100}, marked, ROLLOUT, NOW)
    return {each.version.id: each.fate for each in found}


@pytest.mark.parametrize(
    ("group", "bad", "fate"),
    [
        (a_group("live", 3, left=30 * DAY), "live", None),
        (a_group("v", 3), "", None),
        (a_group("v", 3, left=timedelta(minutes=59)), "", None),
        (a_group("v", 3, left=HOUR), "", Fate.stop),
        (a_group("v", 0, left=HOUR), "", None),
        (a_group("v", 0, left=30 * DAY), "", None),
        (a_group("v", 3, left=30 * DAY), "", Fate.stop),
        (a_group("v", 3, left=30 * DAY, to="live"), "", None),
        (a_group("v", 3), "v", Fate.delete),
        (a_group("v", 0, left=2 * HOUR), "v", Fate.delete),
        (a_group("v", 3, left=timedelta(minutes=59)), "v", None),
        (a_group("v", 3, to="v"), "v", None),
    ],
    ids=[
        "it works",
        "it has not served yet",
        "inside its window",
        "its window is over",
        "stopped already",
        "old, but among the last",
        "old, and still up",
        "held by an upgrade",
        "bad",
        "bad, and served once",
        "bad, and inside its window",
        "bad, and held by an upgrade",
    ],
)
def test_what_is_due_for_one_version(group: Group, bad: str, fate: Fate | None) -> None:
    assert due(group, bad=bad).get(group.version.id) is fate


def test_the_last_versions_that_served_are_kept_and_older_ones_go_when_their_time_is_over() -> None:
    ages = {"a": 6 * DAY, "b": 8 * DAY, "c": 6.5 * DAY, "d": 9 * DAY, "e": 7 * DAY}
    groups = [a_group(name, left=age) for name, age in ages.items()]
    assert due(*groups) == {"b": Fate.delete, "d": Fate.delete, "e": Fate.delete}


def test_a_bad_version_takes_no_place_of_those_that_are_kept() -> None:
    groups = [a_group("a", left=8 * DAY), a_group("b", left=9 * DAY), a_group("worst", left=2 * HOUR)]
    assert due(*groups, bad="worst") == {"worst": Fate.delete}


def test_why_something_is_due_is_said() -> None:
    found = find_due([a_group("v", 3, left=2 * HOUR)], {}, {}, ROLLOUT, NOW)
    assert [each.why for each in found] == ["its rollback window was over at 2026-01-31 11:00"]


@pytest.mark.parametrize(
    ("group", "sentence"),
    [
        (a_group("live", 3), "router live has 100 % of the traffic; switch to another version first"),
        (a_group("v", 3, left=timedelta()), "router v is kept until 2026-01-31 13:00"),
        (a_group("v", 3, to="w"), "router v is part of an unfinished upgrade to w"),
    ],
)
def test_a_version_that_is_needed_may_not_go(group: Group, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        check_may_go(group, {"live": 100}, NOW, force=False)


def test_force_deletes_what_is_kept_but_nothing_with_traffic() -> None:
    check_may_go(a_group("v", 3, left=timedelta(), to="w"), {"live": 100}, NOW, force=True)
    with pytest.raises(UsageError, match="100 % of the traffic"):
        check_may_go(a_group("live", 3), {"live": 100}, NOW, force=True)
