"""Whether somebody has told this process to end, whatever libraries make of the signal on its way."""

from __future__ import annotations

import signal
import socket

_come, _told = socket.socketpair()


def listen() -> None:
    """From now on Python tells of every signal here, beside its handlers (signal.set_wakeup_fd)."""
    _come.setblocking(False)
    _told.setblocking(False)
    signal.set_wakeup_fd(_told.fileno(), warn_on_full_buffer=False)


def was_told_to_end() -> bool:
    """Whether SIGINT or SIGTERM has come since `listen`; False without it."""
    try:
        come = _come.recv(4096, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    return not {signal.SIGINT, signal.SIGTERM}.isdisjoint(come)
