"""A run that is told to end while it writes."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable

import pytest

from tasks.in_flight import LastWord

WRITE, READ = "before-send.elastic-load-balancing-v2.ModifyRule", "before-send.ec2.DescribeInstances"


def interrupting(answered: list[str]) -> Callable[[str], str]:
    """Sends a request during which somebody presses Ctrl-C; the answer comes some time after that."""
    heard = threading.Event()
    before = signal.getsignal(signal.SIGINT)

    def hear(number: int, frame: object) -> None:
        heard.set()
        signal.signal(number, before)
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, hear)

    def send(request: str) -> str:
        os.kill(os.getpid(), signal.SIGINT)
        assert heard.wait(10)
        answered.append(request)
        return "answer"

    return send


def test_an_interruption_is_heard_after_the_answer() -> None:
    answered: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        LastWord(interrupting(answered)).finish("shift", event_name=WRITE)
    assert answered == ["shift"]


def test_what_only_reads_and_what_threads_do_is_left_to_botocore() -> None:
    last_word = LastWord(lambda _: pytest.fail("sent"))
    assert last_word.finish("look", event_name=READ) is None
    seen: list[object] = []
    thread = threading.Thread(target=lambda: seen.append(last_word.finish("shift", event_name=WRITE)))
    thread.start()
    thread.join()
    assert seen == [None]


def test_an_error_of_the_connection_reaches_the_caller() -> None:
    def refuse(_: object) -> None:
        raise ConnectionError("refused")

    with pytest.raises(ConnectionError, match="refused"):
        LastWord(refuse).finish("shift", event_name=WRITE)
