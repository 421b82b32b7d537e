"""Whether somebody has told this process to end, whatever libraries make of the signal on its way."""

from __future__ import annotations

import signal
import socket

_pair: list[socket.socket] = []
"""Where signals are read, and where Python writes them; a forked process makes its own."""


def listen() -> None:
    """From now on Python tells of every signal here, beside its handlers (signal.set_wakeup_fd)."""
    _pair[:] = socket.socketpair()
    for end in _pair:
        end.setblocking(False)
    signal.set_wakeup_fd(_pair[1].fileno(), warn_on_full_buffer=False)


def was_told_to_end() -> bool:
    """Whether SIGINT or SIGTERM has come since `listen`; False without it."""
    if not _pair:
        return False
    try:
        come = _pair[0].recv(4096, socket.MSG_PEEK)
    except BlockingIOError:
        return False
    return not {signal.SIGINT, signal.SIGTERM}.isdisjoint(come)
