"""Queues that stay fast when nobody empties them: moto counts all messages anew with each one that is sent."""

from __future__ import annotations

import time
from collections.abc import Callable

from moto.sqs.models import Queue

COUNTS = (
    "approximate_number_of_messages",
    "approximate_number_of_messages_delayed",
    "approximate_number_of_messages_not_visible",
)
FRESH = 1.0
"""Seconds for which a count is good. On AWS too it is approximate, and up to a minute old.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html
"""


def count_seldom() -> None:
    """Have moto's queues count their messages at most once in `FRESH` seconds; again changes nothing."""
    for name in COUNTS:
        count = getattr(Queue, name).fget
        if not hasattr(count, "seldom"):
            setattr(Queue, name, property(_seldom(name, count)))


def _seldom(name: str, count: Callable[[Queue], int]) -> Callable[[Queue], int]:
    def counted(queue: Queue) -> int:
        known: dict[str, tuple[float, int]] = queue.__dict__.setdefault("counted", {})
        when, number = known.get(name, (0.0, 0))
        if time.monotonic() - when > FRESH:
            number = count(queue)
            known[name] = (time.monotonic(), number)
        return number

    counted.seldom = True  # type: ignore[attr-defined]
    return counted
