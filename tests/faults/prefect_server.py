"""The Prefect server of an embedded cloud, when it does not answer."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from tasks.waits import pause
from tyrell.local.settings import Settings
from tyrell.local.state import read_state

GONE = timedelta(seconds=5)


@contextmanager
def standing_still(settings: Settings) -> Iterator[None]:
    """The block begins once the server has not answered anybody for a while; after it, it does again."""
    process = _process(settings)
    os.kill(process, signal.SIGSTOP)
    try:
        pause("the Prefect server's absence", GONE)
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def _process(settings: Settings) -> int:
    state = read_state(settings.home)
    assert state
    words = {b"prefect.server.api.server:create_app", str(state.prefect_port).encode()}
    found = [each.parent for each in Path("/proc").glob("[0-9]*/cmdline") if words <= set(_words(each))]
    (only,) = found
    return int(only.name)


def _words(cmdline: Path) -> list[bytes]:
    try:
        return cmdline.read_bytes().split(b"\0")
    except OSError:  # ended meanwhile
        return []
