"""A year of schedule ticks by Prefect's own cron, some late and some doubled, while both changes of the clocks come.

Every tick is a run, or is left to the run that is under way, and every message is worked off in time. The simulation
lets one run be at work at a time; that the lock does too is tested where processes race for it (`test_locks`) and where
two ticks come at once (`tests/data/test_workers.py`).
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml
from prefect.server.schemas.schedules import CronSchedule
from pydantic import TypeAdapter

from tasks.errors import LockHeld
from tasks.model import Patience
from tasks.role_parts import ByQueue
from tasks.roles import load_role
from tasks.waits import wait_until
from tasks.worker_runs import work_off
from tasks.workers import Crew

YEAR = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
CHANGES = datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)
"""When the clocks change in Berlin."""
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
OUTAGE = timedelta(hours=6)
"""The longest time for which Prefect's workers are away."""

WATCH = Patience(timeout=timedelta(minutes=45), every=timedelta(seconds=60))
DEPLOYMENTS = Path(__file__).resolve().parents[2] / "deployments" / "prefect.yaml"


def deployment(name: str) -> dict[str, Any]:
    """One of the deployments in our file, by its name; times as times."""
    deployments: list[dict[str, Any]] = yaml.safe_load(DEPLOYMENTS.read_text())["deployments"]
    (found,) = [each for each in deployments if each["name"].endswith(f"-{name}")]
    wait = TypeAdapter(timedelta | None).validate_python(found["parameters"].get("wait"))
    return found | {"parameters": found["parameters"] | {"wait": wait}}


@cache
def ticks(name: str, begin: datetime, end: datetime, timezone: str) -> list[datetime]:
    """When Prefect would start the deployment, from `begin` on and before `end`."""
    schedule = CronSchedule(cron=deployment(name)["schedules"][0]["cron"], timezone=timezone)
    found: list[datetime] = []
    while not found or found[-1] < end:
        start = found[-1] + timedelta(seconds=1) if found else begin
        more = asyncio.run(schedule.get_dates(1000, start))
        found += [datetime.fromtimestamp(each.timestamp(), UTC) for each in more]
    return [each for each in found if begin <= each < end]


class Simulation:
    """A queue that fills by itself, workers that empty it, and the lock of runs; time passes only where one waits."""

    def __init__(self, seed: int, kind: ByQueue) -> None:
        self.random = Random(seed)  # noqa: S311  it has to be the same each time
        self.kind = kind
        self.now = YEAR[0]
        self.sent = self.done = 0
        self.workers = 0
        self.waits_since = self.now
        self.oldest = timedelta()

    name = "a queue"

    def pass_time(self, until: datetime) -> None:
        """Messages come, workers take them and end when there are none."""
        seconds = max(0.0, (until - self.now).total_seconds())
        self.now = max(self.now, until)
        arrived = round(seconds * self.random.choice([0, 0.2, 5, 40]))
        if self.sent == self.done and arrived:
            self.waits_since = self.now - timedelta(seconds=seconds)
        self.sent += arrived
        self.done = min(self.sent, self.done + round(self.workers * self.kind.messages_per_second * seconds))
        if self.sent == self.done:
            self.workers = 0
        else:
            self.oldest = max(self.oldest, self.now - self.waits_since)

    def look(self) -> Crew:
        """See `World`."""
        age = self.now - self.waits_since if self.sent > self.done else None
        return Crew(
            role="usage-worker",
            version="one",
            waiting=self.sent - self.done,
            age=age,
            working=self.workers,
            desired=self.workers,
        )

    def scale(self, size: int) -> None:
        """See `World`; now and then somebody upgrades the role."""
        if self.random.random() < 0.05:
            raise LockHeld("usage-worker", "lab", "ann@desk", "now", "upgrade", 20)
        self.workers = size

    def run(self, tick: datetime, *, run: bool) -> None:
        """One run of the flow, from its tick on, or from when the lock is free."""
        self.pass_time(tick)
        wait = partial(
            wait_until,
            clock=lambda: self.now.timestamp(),  # noqa: PLW0108  `now` is another one each time
            sleep=lambda seconds: self.pass_time(self.now + timedelta(seconds=seconds)),
        )
        work_off(self, self.kind, 4, WATCH, run=run, wait=wait)


def disturbed(random: Random, hourly: list[datetime], looks: list[datetime]) -> list[tuple[datetime, bool]]:
    """The ticks as they really come, each with whether it is an hourly one: some twice, some all at once.

    That is what Prefect does with the late ones when its workers come back.
    """
    all_ticks = sorted([(tick, True) for tick in hourly] + [(tick, False) for tick in looks])
    outages = [(begin, begin + random.uniform(0.1, 1) * OUTAGE) for begin in random.sample(hourly, 40)]
    outages += [(change - HOUR, change + HOUR) for change in CHANGES]
    come = []
    for tick, is_hourly in all_ticks:
        late = max([end for begin, end in outages if begin <= tick < end], default=tick)
        come += [(late, is_hourly)] * random.choice([1] * 19 + [2])
    return sorted(come)


def live_through(world: Simulation, come: list[tuple[datetime, bool]]) -> tuple[int, timedelta]:
    """All ticks as our deployments take them: how many hourly runs there were, and the longest wait for the lock."""
    hourly, longest, last_hourly = 0, timedelta(), world.now
    for tick, is_hourly in come:
        if is_hourly:  # one after the other; only a look can have the lock then
            longest = max(longest, world.now - max(tick, last_hourly))
            world.run(tick, run=True)
            hourly, last_hourly = hourly + 1, world.now
        elif world.now <= tick:  # else it is left to the run that is under way
            world.run(tick, run=False)
    return hourly, longest


EVERY_HOUR = [YEAR[0] + HOUR * index for index in range(365 * 24)]


def test_by_our_clock_every_hour_of_the_year_has_one_tick() -> None:
    assert deployment("hourly")["schedules"][0]["timezone"] == "UTC"
    assert ticks("hourly", *YEAR, "UTC") == EVERY_HOUR


def test_by_the_clock_of_berlin_only_the_hour_that_comes_twice_has_one_tick_instead_of_two() -> None:
    assert set(EVERY_HOUR) - set(ticks("hourly", *YEAR, "Europe/Berlin")) == {CHANGES[1]}


@pytest.mark.parametrize(("change", "longest"), [(CHANGES[0], 10 * MINUTE), (CHANGES[1], HOUR + 10 * MINUTE)])
def test_the_looks_go_on_when_the_clocks_change(change: datetime, longest: timedelta) -> None:
    found = ticks("by-depth", change - 3 * HOUR, change + 3 * HOUR, "Europe/Berlin")
    assert {after - before for before, after in pairwise(found)} == {5 * MINUTE, 10 * MINUTE, longest}


@pytest.mark.parametrize("timezone", ["UTC", "Europe/Berlin"])
def test_in_a_year_no_tick_is_skipped_and_no_message_stays(kind: ByQueue, timezone: str) -> None:
    world = Simulation(len(timezone), kind)
    hourly = ticks("hourly", *YEAR, timezone)
    looks = [look for change in CHANGES for look in ticks("by-depth", change - DAY, change + DAY, timezone)]
    come = disturbed(world.random, hourly, looks)
    ran, longest = live_through(world, come)
    assert ran == sum(is_hourly for _, is_hourly in come) > len(hourly)
    assert longest <= deployment("hourly")["parameters"]["wait"]
    assert world.oldest <= OUTAGE + 2 * HOUR
    world.run(world.now + HOUR, run=True)
    assert (world.sent, world.workers) == (world.done, 0)
    assert world.sent > 10_000_000


def never(seconds: float) -> None:
    pytest.fail(f"there is nothing to wait {seconds} s for")


def test_without_workers_allowed_nothing_is_lost(kind: ByQueue) -> None:
    world = Simulation(3, kind)
    world.pass_time(YEAR[0] + timedelta(days=2))
    crew = work_off(world, kind, 0, WATCH, run=True, wait=partial(wait_until, sleep=never))
    assert (crew.waiting, crew.working, world.done) == (world.sent, 0, 0)
    assert crew.waiting > 0


@pytest.fixture(scope="module")
def kind() -> ByQueue:
    """That of a role of ours."""
    traffic = load_role("usage-worker").traffic
    assert isinstance(traffic, ByQueue)
    return traffic
