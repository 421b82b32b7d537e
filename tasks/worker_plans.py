"""How many workers a queue needs, from what waits in it, how fast they are, and how many there may be."""

from __future__ import annotations

import math
from datetime import timedelta

from pydantic import Field

from tasks.model import Noun
from tasks.role_parts import ByQueue


class Load(Noun):
    """What a queue holds at a moment; on AWS the counts are approximate and up to a minute old."""

    waiting: int = Field(ge=0)
    """Messages that a worker could receive, now or after their delay."""
    in_flight: int = Field(ge=0)
    """Messages that a worker has received and not deleted yet."""
    age: timedelta | None = None
    """That of the oldest message; None when nobody knows."""

    @property
    def empty(self) -> bool:
        """Whether there is nothing left, neither waiting nor in the hands of a worker."""
        return not self.waiting and not self.in_flight

    def is_too_old(self, limit: timedelta) -> bool:
        """Whether its oldest message is known to be older than `limit`."""
        return self.age is not None and not self.empty and self.age > limit


def plan_workers(load: Load, kind: ByQueue, working: int, most: int, *, run: bool) -> int:
    """How many workers there should be, when `working` are there and `most` may be.

    A `run` is for all that waits. Without it a worker is started only for as much as one does in the drain time; the
    rest waits for the next run, unless it is half as old as it may become. Who works is never sent away as long as
    there is something left: he ends by himself.
    """
    if load.empty:
        return 0
    share = load.waiting / (kind.messages_per_second * kind.drain_time.total_seconds())
    needed = math.ceil(share) if run or load.is_too_old(kind.max_age / 2) else math.floor(share)
    return max(working, min(needed, most))
