"""Many who ask the same are answered by one call, and no answer is older than its question."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count

import pytest

from tasks.crowd import shared
from tests.waiting import eventually

MANY = 20


class Question:
    """A look's argument that knows who has asked: whoever does must compare it with what is asked already."""

    def __init__(self) -> None:
        self.askers: set[int] = set()

    def __hash__(self) -> int:
        self.askers.add(threading.get_ident())
        return 0


class Slow:
    """A look that answers when it is let go, with the number of its call; from the second on it may fail."""

    def __init__(self, *, fails: bool = False) -> None:
        self.begun = 0
        self.go = threading.Event()
        self._fails = fails

    def look(self, _: Question) -> int:
        self.begun += 1
        number = self.begun
        assert self.go.wait(10)
        if self._fails and number > 1:
            raise ValueError(f"call {number} failed")
        return number


def ask_at_once(slow: Slow, pool: ThreadPoolExecutor) -> list[Future[int]]:
    """Many ask while the call of somebody else is made, which is let go when they have."""
    ask, question = shared(slow.look), Question()
    pool.submit(ask, question)
    eventually("the first call to be made", lambda: slow.begun == 1)
    others = [pool.submit(ask, question) for _ in range(MANY)]
    eventually("all to have asked", lambda: len(question.askers) == MANY + 1)
    slow.go.set()
    return others


def test_those_who_ask_while_a_call_is_made_share_the_next() -> None:
    slow = Slow()
    with ThreadPoolExecutor(MANY + 1) as pool:
        assert {each.result(10) for each in ask_at_once(slow, pool)} == {2}
    assert slow.begun == 2


def test_all_who_share_a_call_hear_of_its_error() -> None:
    with ThreadPoolExecutor(MANY + 1) as pool:
        for each in ask_at_once(Slow(fails=True), pool):
            with pytest.raises(ValueError, match="call 2 failed"):
                each.result(10)


def test_no_answer_is_older_than_its_question() -> None:
    moments = count()

    @shared
    def look() -> int:
        return next(moments)

    def ages(_: int) -> list[int]:
        return [look() - asked for asked in (next(moments) for _ in range(100))]

    with ThreadPoolExecutor(MANY) as pool:
        assert min(age for each in pool.map(ages, range(MANY)) for age in each) > 0


def test_different_questions_are_different_calls() -> None:
    double = shared(lambda number: 2 * number)
    assert [double(2), double(3), double(2)] == [4, 6, 4]
