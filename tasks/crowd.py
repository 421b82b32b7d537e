"""What many waits ask of AWS: together one call per service and second, whose answer they share."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from functools import wraps
from typing import ParamSpec, TypeVar

from tasks.waits import is_one_of_many, rest

P = ParamSpec("P")
T = TypeVar("T")

EVERY = 1.0
"""Seconds from one call of a service to the next while many wait."""


class Pace:
    """Spaces the calls that many waits make of one service; nobody else is held up."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next = 0.0

    def take_turn(self, **_: object) -> None:
        """Return when this call may be sent: turns are given in the order in which they were asked for."""
        if not is_one_of_many():
            return
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next)
            self._next = turn + EVERY
        rest(turn - now)


def shared(look: Callable[P, T]) -> Callable[P, T]:
    """Make one call of `look` answer all who ask the same meanwhile.

    An answer is never older than the question: its call begins after everybody who gets it has asked. While that
    question is being asked already, newcomers join in the one call that comes next. All hear of an error.
    """
    joining = threading.Lock()
    asking: defaultdict[Hashable, threading.Lock] = defaultdict(threading.Lock)
    joinable: dict[Hashable, Future[T]] = {}

    @wraps(look)
    def ask(*args: P.args, **kwargs: P.kwargs) -> T:
        question = (args, *sorted(kwargs.items()))
        with joining:
            first = question not in joinable
            answer = joinable.setdefault(question, Future())
            turn = asking[question]
        if first:
            with turn:
                with joining:
                    del joinable[question]
                try:
                    answer.set_result(look(*args, **kwargs))
                except BaseException as error:
                    answer.set_exception(error)
        return answer.result()

    return ask
