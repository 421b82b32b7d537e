"""Waiting for what a test expects, while the event loop goes on, with a deadline."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def eventually(what: str, look: Callable[[], Awaitable[T]], timeout: float = 30.0) -> T:
    """Look until the answer is true and return it; fail with the last answer when time is over."""
    deadline = time.monotonic() + timeout
    while True:
        answer = await look()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"{what}: not within {timeout:g} s, last seen: {answer!r}"
        await asyncio.sleep(0.02)
