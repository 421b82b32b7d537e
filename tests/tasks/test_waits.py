"""A wait has a deadline, says why, and never turns success into failure."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from tasks.errors import Expired
from tasks.model import Patience
from tasks.waits import NotYet, Waiting, observing, wait_until

PATIENCE = Patience(timeout=timedelta(seconds=10), every=timedelta(seconds=1))


class Time:
    """A clock that only moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.sleeps: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.sleeps.append(seconds)


def wait(looks: Iterator[str | NotYet], time: Time, patience: Patience = PATIENCE) -> str:
    return wait_until("the machine", lambda: next(looks), patience, clock=time.clock, sleep=time.sleep)


def test_what_is_there_at_once_is_not_waited_for() -> None:
    time = Time()
    assert wait(iter(["there"]), time) == "there"
    assert time.sleeps == []


def test_it_gives_up_at_the_deadline_with_the_last_reason() -> None:
    time = Time()
    reasons = (NotYet(f"reason {number}") for number in range(99))
    with pytest.raises(Expired, match=r"gave up waiting for the machine after 10 s; last seen: reason \d+"):
        wait(reasons, time)
    assert 10 <= time.now <= 11


def test_success_in_the_last_look_counts_even_when_it_is_late() -> None:
    time = Time()

    def looks() -> Iterator[str | NotYet]:
        yield NotYet("slow")
        time.now += 60  # the look itself took long
        yield "there"

    assert wait(looks(), time) == "there"


def test_the_reason_is_logged_when_it_changes_only(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "tasks.waits")
    wait(iter([NotYet("a"), NotYet("a"), NotYet("b"), "there"]), Time())
    assert [record.message.split(": ")[-1] for record in caplog.records][:2] == ["a", "b"]
    assert len(caplog.records) == 3


def test_looks_become_rarer_the_longer_it_takes() -> None:
    time = Time()
    long = Patience(timeout=timedelta(hours=1), every=timedelta(seconds=1))
    with pytest.raises(Expired):
        wait((NotYet("no") for _ in range(10_000)), time, long)
    assert time.sleeps[0] == 1
    assert max(time.sleeps) == 10
    assert time.sleeps == sorted(time.sleeps)


def test_an_error_of_a_look_ends_the_wait() -> None:
    def looks() -> Iterator[str | NotYet]:
        yield NotYet("starting")
        raise RuntimeError("it can no longer become ready")

    with pytest.raises(RuntimeError, match="no longer"):
        wait(looks(), Time())


class Diary:
    """An observer that keeps all it hears."""

    def __init__(self) -> None:
        self.heard: list[Waiting] = []

    def __call__(self, waiting: Waiting) -> None:
        self.heard.append(waiting)


def test_an_observer_hears_of_every_look_and_of_the_end() -> None:
    diary, time = Diary(), Time()
    with observing(diary):
        wait(iter([NotYet("a"), NotYet("a"), NotYet("b"), "there"]), time)
    assert [each.reason for each in diary.heard] == ["a", "a", "b", ""]
    assert {(each.what, each.until - each.since) for each in diary.heard} == {("the machine", PATIENCE.timeout)}
    *looks, last = diary.heard
    assert all(each.ended is None for each in looks)
    assert last.ended == last.since + timedelta(seconds=time.now)


def test_an_observer_hears_why_a_wait_failed() -> None:
    diary = Diary()
    with observing(diary), pytest.raises(Expired) as failed:
        wait((NotYet("no answer") for _ in range(99)), Time())
    assert diary.heard[-1].ended
    assert diary.heard[-1].reason == str(failed.value)


def test_an_interrupted_wait_does_not_end_as_a_success() -> None:
    def looks() -> Iterator[str | NotYet]:
        yield NotYet("starting")
        raise KeyboardInterrupt

    diary = Diary()
    with observing(diary), pytest.raises(KeyboardInterrupt):
        wait(looks(), Time())
    assert diary.heard[-1].reason == "KeyboardInterrupt"


def test_what_is_there_at_once_is_not_told() -> None:
    diary = Diary()
    with observing(diary):
        wait(iter(["there"]), Time())
    assert diary.heard == []


def test_an_observer_hears_waits_of_other_threads_and_nothing_afterwards() -> None:
    diary = Diary()
    with observing(diary), ThreadPoolExecutor() as pool:
        list(pool.map(lambda _: wait(iter([NotYet("a"), "there"]), Time()), range(4)))
    wait(iter([NotYet("b"), "there"]), Time())
    assert sorted(each.reason for each in diary.heard) == [""] * 4 + ["a"] * 4


def test_an_observer_that_raises_is_logged_once_and_the_wait_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    def broken(waiting: Waiting) -> None:
        raise RuntimeError("broken")

    diary = Diary()
    with observing(broken), observing(diary):
        assert wait(iter([NotYet("a"), NotYet("b"), "there"]), Time()) == "there"
    assert len([record for record in caplog.records if record.levelno == logging.WARNING]) == 1
    assert len(diary.heard) == 3


def test_the_log_says_until_when(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "tasks.waits")
    diary = Diary()
    with observing(diary):
        wait(iter([NotYet("a"), "there"]), Time())
    assert caplog.records[0].message == f"waiting for the machine until {diary.heard[0].until:%H:%M:%S}: a"
