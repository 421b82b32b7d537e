"""When a stack may be changed: weekly windows and freezes, by the wall clock of one time zone. Pure data and functions.

Everything is decided by what a clock on the wall shows: an hour that comes twice in autumn is in a window both times,
one that spring skips is in none.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, Literal, get_args
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from tasks.model import Noun


class Day(StrEnum):
    """Of a week; its order is that of `datetime.weekday`."""

    mon = "mon"
    tue = "tue"
    wed = "wed"
    thu = "thu"
    fri = "fri"
    sat = "sat"
    sun = "sun"


DAYS = tuple(Day)

Kind = Literal["bring-up", "release", "retire", "scale", "stack-update", "switch", "tear-down", "upgrade"]
"""What a calendar can hold: the flows that change what serves, or delete something."""
KINDS: tuple[Kind, ...] = get_args(Kind)

MINUTE = timedelta(minutes=1)
LONGEST = timedelta(days=15)
"""In which every window opens at least once, also when the clock skips it one week."""


def _known(zone: str) -> str:
    if zone not in available_timezones():
        raise ValueError(f"{zone!r} is no time zone; write one as Europe/Berlin or UTC")
    return zone


def _whole_minute(moment: time) -> time:
    if moment.second or moment.microsecond or moment.tzinfo:
        raise ValueError(f"{moment} must be hours and minutes of the calendar's time zone, as 09:30")
    return moment


Clock = Annotated[time, AfterValidator(_whole_minute)]


class Window(Noun):
    """On each of these days from a time until another; one that is not later is on the next day."""

    model_config = ConfigDict(populate_by_name=True)

    days: tuple[Day, ...] = Field(default=DAYS, min_length=1)
    start: Clock = Field(alias="from")
    until: Clock

    def holds(self, wall: datetime) -> bool:
        """Whether the time on the wall is inside."""
        today, yesterday = DAYS[wall.weekday()], DAYS[wall.weekday() - 1]
        if self.start < self.until:
            return today in self.days and self.start <= wall.time() < self.until
        return (today in self.days and wall.time() >= self.start) or (
            yesterday in self.days and wall.time() < self.until
        )

    def __str__(self) -> str:
        return f"{','.join(self.days)} {self.start:%H:%M}-{self.until:%H:%M}"


class Freeze(Noun):
    """From a moment until another, by the calendar's clock unless they name their offset; for ever without an end."""

    model_config = ConfigDict(populate_by_name=True)

    start: datetime = Field(alias="from")
    until: datetime | None = None
    reason: str = Field(min_length=1)


class Calendar(Noun):
    """The windows in which a stack may be changed (always, without any), and the freezes, which are stronger."""

    timezone: Annotated[str, AfterValidator(_known)] = "UTC"
    windows: tuple[Window, ...] = ()
    freezes: tuple[Freeze, ...] = ()
    holds: tuple[Kind, ...] = KINDS
    """Which changes it holds; all others may begin at any time, and a rollback always may."""

    @model_validator(mode="after")
    def freezes_last(self) -> Calendar:
        """Refuse a freeze that ends before it begins."""
        for freeze in self.freezes:
            if freeze.until and self._moment(freeze.until) <= self._moment(freeze.start):
                raise ValueError(f"the freeze ({freeze.reason}) ends before it begins")
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of all its times."""
        return ZoneInfo(self.timezone)

    def _moment(self, said: datetime) -> datetime:
        return said if said.tzinfo else said.replace(tzinfo=self.zone)

    def freeze_at(self, now: datetime) -> Freeze | None:
        """The freeze at that moment; of several the one that ends last."""
        found = [
            freeze
            for freeze in self.freezes
            if self._moment(freeze.start) <= now and (freeze.until is None or now < self._moment(freeze.until))
        ]
        return max(found, key=self._end_of, default=None)

    def _end_of(self, freeze: Freeze) -> float:
        return self._moment(freeze.until).timestamp() if freeze.until else float("inf")

    def in_window(self, now: datetime) -> bool:
        """Whether that moment is in one of the windows."""
        wall = now.astimezone(self.zone)
        return not self.windows or any(window.holds(wall) for window in self.windows)

    def next_opening(self, now: datetime) -> datetime | None:
        """The first moment from `now` on, to the minute, that is in a window and not frozen; None when none ever is."""
        moment = now.astimezone(UTC)
        end = moment + LONGEST
        while moment < end:
            if freeze := self.freeze_at(moment):
                if freeze.until is None:
                    return None
                moment = self._moment(freeze.until).astimezone(UTC)
                end = moment + LONGEST
            elif self.in_window(moment):
                return moment
            else:
                moment = moment.replace(second=0, microsecond=0) + MINUTE
        return None

    def says(self, moment: datetime) -> str:
        """A moment as people of the stack read it."""
        return f"{self._moment(moment).astimezone(self.zone):%Y-%m-%d %H:%M} {self.timezone}"


class Hold(Noun):
    """Why a change may not begin now, as a part of a sentence, and the next opening; empty when there is none."""

    reason: str
    opening: str


def find_hold(calendar: Calendar, kind: Kind, now: datetime) -> Hold | None:
    """What keeps that kind of change from beginning at `now` (aware); None when nothing does."""
    if kind not in calendar.holds:
        return None
    freeze = calendar.freeze_at(now)
    if freeze:
        until = f"until {calendar.says(freeze.until)}" if freeze.until else "until somebody ends it"
        reason = f"frozen {until} ({freeze.reason})"
    elif not calendar.in_window(now):
        reason = f"outside its windows ({'; '.join(map(str, calendar.windows))} {calendar.timezone})"
    else:
        return None
    opening = calendar.next_opening(now)
    return Hold(reason=reason, opening=calendar.says(opening) if opening else "")
