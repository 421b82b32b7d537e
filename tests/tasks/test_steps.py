"""Work on many things at the same time: no more than wanted, and nothing goes on behind an error."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from tasks.steps import each_in_parallel

AT_ONCE = 4


def test_everything_is_worked_on_and_as_many_at_a_time_as_wanted() -> None:
    together = threading.Barrier(AT_ONCE)

    def work(number: int) -> int:
        together.wait(timeout=10)
        return number * 2

    assert sorted(each_in_parallel(work, range(40), AT_ONCE)) == [number * 2 for number in range(40)]


def test_items_are_taken_only_when_they_are_soon_needed() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for number in range(1000):
            taken.append(number)
            yield number

    ready = each_in_parallel(str, items(), AT_ONCE)
    next(ready)
    assert len(taken) == 2 * AT_ONCE
    ready.close()


def test_the_first_error_ends_it_and_nothing_else_is_begun() -> None:
    begun: list[int] = []

    def work(number: int) -> None:
        begun.append(number)
        if number == 1:
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        list(each_in_parallel(work, range(1000), AT_ONCE))
    assert len(begun) < 500


def test_nothing_is_worked_on_once_nobody_takes_the_results() -> None:
    before = set(threading.enumerate())
    working = each_in_parallel(str, range(1000), AT_ONCE)
    next(working)
    assert set(threading.enumerate()) > before
    working.close()
    assert set(threading.enumerate()) <= before
