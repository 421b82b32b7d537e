"""Where the services of the machine tell their metrics: a UDP socket of statsd lines."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Iterator

from link.metrics.sums import NoMetric, Sums
from link.shared.process import CanNotListen
from link.shared.statsd import Address

BUFFER = 2**22
"""Bytes that wait for us at most, if the kernel allows as many (net.core.rmem_max); what comes beyond them is lost."""
LARGEST, AT_ONCE = 2**16, 1_000
"""Bytes of a datagram; and so many are read before the rest of the agent has its turn."""

logger = logging.getLogger(__name__)


class Listener:
    """Adds up what it is told; the first line that is no metric is logged."""

    def __init__(self, sums: Sums) -> None:
        self._sums = sums
        self._complained = False

    @contextlib.contextmanager
    def listening(self, address: Address) -> Iterator[None]:
        """Listen in the running event loop. Raises CanNotListen."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours:
            ours.setblocking(False)
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
            try:
                ours.bind(address)
            except OSError as error:
                raise CanNotListen.at(*address, error) from error
            loop = asyncio.get_running_loop()
            loop.add_reader(ours, self._read, ours)
            try:
                yield
            finally:
                loop.remove_reader(ours)

    def _read(self, ours: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError):
            for _ in range(AT_ONCE):
                self._add(ours.recv(LARGEST))

    def _add(self, datagram: bytes) -> None:
        for line in filter(None, map(str.strip, datagram.decode(errors="replace").split("\n"))):
            try:
                self._sums.add(line)
            except NoMetric:
                if not self._complained:
                    logger.warning("a line is no metric of statsd, and others may follow: %.200r", line)
                self._complained = True
