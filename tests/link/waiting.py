"""Waiting for what a test expects, with a deadline; and free ports."""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def eventually(what: str, look: Callable[[], Awaitable[T]], timeout: float = 10.0) -> T:
    """Look until the answer is true and return it; fail with the last answer when time is over."""
    deadline = time.monotonic() + timeout
    while True:
        answer = await look()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"{what}: not within {timeout:g} s, last seen: {answer!r}"
        await asyncio.sleep(0.02)


def free_port(host: str) -> int:
    """Return a port that nobody uses at this address now."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
