"""The only place that waits: every wait has a deadline, says what keeps it, and fails with the last reason."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from tasks.errors import Expired, Stopped
from tasks.model import Patience

logger = logging.getLogger(__name__)
T = TypeVar("T")


_stop = threading.Event()


def stop_waiting() -> None:
    """End every wait of this process, in all its threads: the person who asked has gone."""
    _stop.set()


@dataclass(frozen=True)
class NotYet:
    """Looked, and it is not there yet. `reason` says which part and why."""

    reason: str


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
    already waited, at most ten times `every`. The reason is logged when it changes, not on every look.
    `look` raises when the thing can no longer become ready. Raises Expired after `patience.timeout`; the last look is
    made after the deadline, so a slow look never turns success into failure. Raises Stopped after `stop_waiting`.
    """
    start, said = clock(), ""
    every, timeout = patience.every.total_seconds(), patience.timeout.total_seconds()
    while True:
        waited = clock() - start
        seen = look()
        if not isinstance(seen, NotYet):
            if said:
                logger.info("%s: there after %.1f s", what, clock() - start)
            return seen
        if _stop.is_set():
            raise Stopped(what)
        if waited >= timeout:
            raise Expired(what, timeout, seen.reason)
        if seen.reason != said:
            said = seen.reason
            logger.info("waiting for %s: %s", what, said)
        sleep(min(max(every, waited / 20), 10 * every, timeout))
