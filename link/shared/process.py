"""How the process of a Link service starts and ends."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from link.shared.environment import Environment, SettingError
from link.shared.logs import log_to_stdout


class CanNotListen(Exception):
    """The address and port can not be had; the text is one sentence."""

    @classmethod
    def at(cls, address: str, port: int, error: OSError) -> CanNotListen:
        """With the system's own reason."""
        reason = os.strerror(error.errno) if error.errno else str(error)
        return cls(f"can not listen on {address}:{port}: {reason}")


def run_program(service: str, work: Callable[[Environment], Coroutine[Any, Any, None]]) -> None:
    """Run `work` with this process's environment to its end, with logs on standard output.

    Exits 2 with one sentence for a bad setting, 1 when the address is taken or not this machine's.
    """
    log_to_stdout(service)
    try:
        asyncio.run(work(Environment(os.environ)))
    except SettingError as error:
        print(f"{service}: {error}", file=sys.stderr)
        sys.exit(2)
    except CanNotListen as error:
        print(f"{service}: {error}", file=sys.stderr)
        sys.exit(1)


def set_on_signals(event: asyncio.Event) -> None:
    """Let SIGTERM and SIGINT set the event."""
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, event.set)
