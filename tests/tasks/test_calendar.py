"""When a calendar lets a change begin, held against a walk through every minute."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.calendar import DAYS, KINDS, Calendar, Day, find_hold
from tasks.calendar_store import parse_calendar, variable_of
from tasks.errors import CalendarHolds, CalendarInvalid

MINUTE = timedelta(minutes=1)
WEEK = 7 * 24 * 60
BERLIN = ZoneInfo("Europe/Berlin")


def calendar(**said: Any) -> Calendar:
    """One as its JSON says it."""
    return Calendar.model_validate(said)


def at(text: str, zone: ZoneInfo = BERLIN) -> datetime:
    """A moment, as the clock on the wall says it."""
    return datetime.fromisoformat(text).replace(tzinfo=zone)


OFFICE = {"days": ["mon", "tue", "wed", "thu"], "from": "09:00", "until": "16:00"}
CHRISTMAS = {"from": "2026-12-18T18:00", "until": "2026-12-27T08:00", "reason": "Christmas"}


def test_a_change_outside_the_windows_is_held_until_the_next_opens() -> None:
    office = calendar(timezone="Europe/Berlin", windows=[OFFICE])
    hold = find_hold(office, "release", at("2026-11-26T16:00"))  # a Thursday
    assert hold
    assert hold.reason == "outside its windows (mon,tue,wed,thu 09:00-16:00 Europe/Berlin)"
    assert hold.opening == "2026-11-30 09:00 Europe/Berlin"
    assert find_hold(office, "release", at("2026-11-26T15:59")) is None


def test_a_freeze_is_stronger_than_a_window_and_says_why() -> None:
    both = calendar(timezone="Europe/Berlin", windows=[OFFICE], freezes=[CHRISTMAS])
    hold = find_hold(both, "upgrade", at("2026-12-21T10:00"))  # a Monday
    assert hold
    assert str(CalendarHolds("prod", "upgrade", hold.reason, hold.opening)) == (
        "prod is frozen until 2026-12-27 08:00 Europe/Berlin (Christmas), so no upgrade may begin;"
        " the next opening is 2026-12-28 09:00 Europe/Berlin; do it anyway with --override-calendar 'why'"
    )


def test_of_freezes_that_overlap_the_one_that_ends_last_counts() -> None:
    audit = {"from": "2026-12-20T00:00", "until": "2027-01-04T00:00", "reason": "audit"}
    hold = find_hold(calendar(freezes=[audit, CHRISTMAS]), "scale", at("2026-12-21T10:00", ZoneInfo("UTC")))
    assert hold
    assert (hold.reason, hold.opening) == ("frozen until 2027-01-04 00:00 UTC (audit)", "2027-01-04 00:00 UTC")


def test_a_freeze_without_an_end_has_no_next_opening_and_says_so() -> None:
    incident = calendar(freezes=[{"from": "2026-11-23T00:00", "reason": "incident 7"}])
    hold = find_hold(incident, "switch", at("2026-11-24T00:00"))
    assert hold
    assert (hold.reason, hold.opening) == ("frozen until somebody ends it (incident 7)", "")
    assert "there is no next opening" in str(CalendarHolds("prod", "switch", hold.reason, hold.opening))


def test_only_the_kinds_that_it_names_are_held() -> None:
    releases = calendar(freezes=[CHRISTMAS], holds=["release"])
    held = [kind for kind in KINDS if find_hold(releases, kind, at("2026-12-21T10:00"))]
    assert held == ["release"]


def test_a_calendar_without_windows_and_freezes_holds_nothing() -> None:
    assert not any(find_hold(calendar(), kind, at("2026-12-21T10:00")) for kind in KINDS)


@pytest.mark.parametrize(
    ("now", "opening"),
    [
        ("2026-03-29T00:30", "2026-03-29T03:00"),  # 02:00 becomes 03:00: the window opens when its time is skipped to
        ("2026-10-24T12:00", "2026-10-25T02:30"),  # 03:00 becomes 02:00: the first of the two
    ],
)
def test_a_window_opens_also_in_the_night_when_the_clock_is_changed(now: str, opening: str) -> None:
    night = calendar(timezone="Europe/Berlin", windows=[{"days": ["sun"], "from": "02:30", "until": "04:00"}])
    found = night.next_opening(at(now))
    assert found
    assert found.astimezone(UTC) == at(opening).astimezone(UTC)  # in two zones, a time that comes twice equals none


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"windows": [{"days": ["mon"], "from": "09:00"}]}, "windows.0.until: Field required"),
        ({"windows": [{"days": [], "from": "09:00", "until": "10:00"}]}, "windows.0.days: "),
        ({"windows": [{"from": "09:00:30", "until": "10:00"}]}, "must be hours and minutes"),
        ({"timezone": "Berlin"}, "timezone: 'Berlin' is no time zone; write one as Europe/Berlin or UTC"),
        ({"holds": ["rollback"]}, "holds.0: "),
        ({"freeze": []}, "freeze: Extra inputs are not permitted"),
        ({"freezes": [CHRISTMAS | {"until": "2026-12-01"}]}, "the freeze (Christmas) ends before it begins"),
        ("mon-fri", "Input should be a valid dictionary"),
        (None, "Input should be a valid dictionary"),
    ],
)
def test_a_broken_calendar_is_an_error_that_says_what_is_wrong(said: object, problem: str) -> None:
    with pytest.raises(CalendarInvalid) as error:
        parse_calendar(said, "the calendar of prod")
    assert str(error.value).startswith("the calendar of prod is broken: ")
    assert problem in str(error.value)


def test_what_is_kept_is_read_back_as_the_same_calendar() -> None:
    one = calendar(timezone="Europe/Berlin", windows=[OFFICE], freezes=[CHRISTMAS], holds=["release", "scale"])
    assert parse_calendar(one.model_dump(mode="json", by_alias=True), "") == one
    assert variable_of("prod-eu") == "tyrell_calendar_prod_eu"


zones = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
quarters = st.integers(0, 95).map(lambda quarter: time(quarter // 4, quarter % 4 * 15))
windows = st.builds(
    lambda days, start, until: {"days": days, "from": start, "until": until},
    st.lists(st.sampled_from(DAYS), min_size=1, max_size=3, unique=True),
    quarters,
    quarters,
)
near = st.sampled_from(["2026-03-27", "2026-04-03", "2026-10-22", "2026-10-30", "2026-07-01"]).map(
    lambda day: datetime.fromisoformat(day).replace(tzinfo=UTC)
)
"""Days before the clock changes in one of the zones."""
freezes = st.builds(lambda begin, length: (begin, length), st.integers(-40, 60), st.integers(1, 50))
"""Hours: from when, and how long."""


def walked(window: dict[str, Any]) -> set[int]:
    """The minutes of the week that are inside, walked one by one from its beginning."""
    found = set()
    for day in window["days"]:
        minute = list(Day).index(day) * 24 * 60 + window["from"].hour * 60 + window["from"].minute
        while True:
            found.add(minute % WEEK)
            minute += 1
            if minute % (24 * 60) == window["until"].hour * 60 + window["until"].minute:
                break
    return found


@settings(deadline=None, max_examples=40)
@given(zones, st.lists(windows, max_size=3), st.lists(freezes, max_size=3), near, st.integers(0, 3 * 24 * 60))
def test_the_next_opening_is_what_a_walk_through_every_minute_finds(
    zone: str,
    weekly: list[dict[str, Any]],
    frozen: list[tuple[int, int]],
    day: datetime,
    minutes: int,
) -> None:
    spans = [(day + timedelta(hours=begin), day + timedelta(hours=begin + length)) for begin, length in frozen]
    tried = calendar(
        timezone=zone,
        windows=weekly,
        freezes=[{"from": begin, "until": end, "reason": "some"} for begin, end in spans],
    )
    opens = set().union(*map(walked, weekly)) if weekly else set(range(WEEK))

    def is_open(moment: datetime) -> bool:
        wall = moment.astimezone(ZoneInfo(zone))
        minute = wall.weekday() * 24 * 60 + wall.hour * 60 + wall.minute
        return minute in opens and not any(begin <= moment < end for begin, end in spans)

    now = day + minutes * MINUTE
    expected = now
    while not is_open(expected):
        expected += MINUTE
    assert tried.next_opening(now) == expected
    assert (find_hold(tried, "release", now) is None) == is_open(now)
