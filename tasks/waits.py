"""The only place that waits: every wait has a deadline, says what keeps it, and fails with the last reason."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from tasks.errors import Expired, Stopped
from tasks.model import Patience

logger = logging.getLogger(__name__)
T = TypeVar("T")


FEW = 10
"""So many waits may each look at their own rate: as many as an upgrade of every role makes, and some more."""

_stop = threading.Event()
_going_on: list[str] = []
_in_a_wait: ContextVar[bool] = ContextVar("in_a_wait", default=False)


def stop_waiting() -> None:
    """End every wait of this process, in all its threads: the person who asked has gone."""
    _stop.set()


def rest(seconds: float) -> None:
    """Let so much time pass inside a look; none after `stop_waiting`."""
    _stop.wait(seconds)


def is_one_of_many() -> bool:
    """Whether a look of a wait calls this while more than `FEW` waits of this process go on."""
    return _in_a_wait.get() and len(_going_on) > FEW


@contextmanager
def _going(what: str) -> Iterator[None]:
    _going_on.append(what)
    token = _in_a_wait.set(True)
    try:
        yield
    finally:
        _in_a_wait.reset(token)
        _going_on.remove(what)


@dataclass(frozen=True)
class NotYet:
    """Looked, and it is not there yet. `reason` says which part and why."""

    reason: str


@dataclass(frozen=True)
class Waiting:
    """A wait as an observer hears of it; `what` and `since` tell one wait from another. Times are local and aware."""

    what: str
    reason: str
    """Why it is not there yet, or why it never will be; empty when it is there."""
    since: datetime
    until: datetime
    ended: datetime | None = None
    """When the wait was over, in success or failure; None while it goes on."""


Observer = Callable[[Waiting], None]
_observers: list[Observer] = []
_observers_lock = threading.Lock()


@contextmanager
def observing(observer: Observer) -> Iterator[None]:
    """Inside, `observer` hears of every wait of this process: after each look that is not there yet, and at the end.

    It is called from the thread that waits, so it must be quick. A wait that is there at the first look is not told.
    An observer that raises is logged and hears no more; the wait goes on.
    """
    with _observers_lock:
        _observers.append(observer)
    try:
        yield
    finally:
        _forget(observer)


def _forget(observer: Observer) -> bool:
    with _observers_lock:
        known = observer in _observers
        if known:
            _observers.remove(observer)
        return known


def _tell(waiting: Waiting) -> None:
    with _observers_lock:
        observers = tuple(_observers)
    for observer in observers:
        try:
            observer(waiting)
        except Exception:
            if _forget(observer):
                logger.warning("an observer of waits failed and hears no more of them", exc_info=True)


def _clock_time(moment: datetime) -> str:
    """With the date when it is not today's."""
    today = moment.date() == datetime.now().astimezone().date()
    return f"{moment:%H:%M:%S}" if today else f"{moment:%F %H:%M:%S}"


@contextmanager
def _telling(what: str, timeout: timedelta, clock: Callable[[], float]) -> Iterator[Callable[[str], None]]:
    """Give the function that tells a reason to log (when it changed) and observers; at the end tell them of that."""
    start, since = clock(), datetime.now().astimezone()
    waiting: Waiting | None = None

    def not_yet(reason: str) -> None:
        nonlocal waiting
        if waiting is None or reason != waiting.reason:
            logger.info("waiting for %s until %s: %s", what, _clock_time(since + timeout), reason)
        waiting = Waiting(what, reason, since, since + timeout)
        _tell(waiting)

    failure = ""
    try:
        yield not_yet
    except BaseException as error:
        failure = str(error) or type(error).__name__
        raise
    finally:
        if waiting is not None:
            seconds = clock() - start
            if not failure:
                logger.info("%s: there after %.1f s", what, seconds)
            _tell(replace(waiting, reason=failure, ended=since + timedelta(seconds=seconds)))


def wait_until(
    what: str,
    look: Callable[[], T | NotYet],
    patience: Patience,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = _stop.wait,
) -> T:
    """Look until `look` returns something other than `NotYet`, and return it.

    The first look is at once; the next ones come `patience.every`, then ever more slowly: at a twentieth of the time
    already waited, at most ten times `every`; what looks cost while more than `FEW` wait, `tasks.crowd` says. The
    reason is logged when it changes, not on every look; observers hear of every look (see `observing`).
    `look` raises when the thing can no longer become ready. Raises Expired after `patience.timeout`; the last look is
    made after the deadline, so a slow look never turns success into failure. Raises Stopped after `stop_waiting`.
    """
    start = clock()
    every, timeout = patience.every.total_seconds(), patience.timeout.total_seconds()
    with _going(what), _telling(what, patience.timeout, clock) as not_yet:
        while True:
            waited = clock() - start
            seen = look()
            if not isinstance(seen, NotYet):
                return seen
            if _stop.is_set():
                raise Stopped(what)
            if waited >= timeout:
                raise Expired(what, timeout, seen.reason)
            not_yet(seen.reason)
            sleep(min(max(every, waited / 20), 10 * every, timeout))


@contextmanager
def announcing(what: str, reason: str, timeout: timedelta) -> Iterator[None]:
    """Tell, as of any other wait, of one that another system does for us in the block."""
    with _telling(what, timeout, time.monotonic) as not_yet:
        not_yet(reason)
        yield


def pause(what: str, duration: timedelta) -> None:
    """Let some time pass. Raises Stopped after `stop_waiting`."""
    end = time.monotonic() + duration.total_seconds()

    def look() -> bool | NotYet:
        return time.monotonic() >= end or NotYet("its time is not over")

    every = max(duration / 20, timedelta(seconds=0.05))
    wait_until(what, look, Patience(timeout=duration + timedelta(minutes=1), every=every))
