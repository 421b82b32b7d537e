"""Waiting for what a test expects, with a deadline; and free ports to expect it at."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(what: str, look: Callable[[], T], seconds: float = 30.0) -> T:
    """Look until the answer is true and return it; fail with `what` and the last answer when `seconds` are over."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}; last seen: {seen!r}"
        threading.Event().wait(0.02)
    return seen


def free_port(host: str = "127.0.0.1") -> int:
    """A port of `host` that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
