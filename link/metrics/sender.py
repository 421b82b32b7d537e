"""The way of points into InfluxDB: whoever the stack's secret says we are, there and now."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from link.metrics.outbox import Outbox
from link.metrics.writing import AccessRefused, NotWritten, PointsRefused, write
from link.shared.access import Secret, SecretUnusable
from link.shared.kept_access import KeptAccess

logger = logging.getLogger(__name__)


class Sender:
    """Sends what is in the outbox; a reason why it can not is logged once, until there is another."""

    def __init__(self, secret: Secret, outbox: Outbox) -> None:
        self._access = KeptAccess(secret)
        self._outbox = outbox
        self._problem = ""

    async def send(self) -> None:
        """Send all that waits. What can not be sent now waits on; what can never be is dropped, and told."""
        problem = ""
        while lines := self._outbox.take():
            try:
                await self._send(lines)
            except PointsRefused as error:
                problem = f"points are lost: {error}"
            except (SecretUnusable, NotWritten) as error:
                self._outbox.put_back(lines)
                problem = f"points wait{', and the oldest are dropped' if self._outbox.dropped else ''}: {error}"
                break
        self._tell(problem)

    async def _send(self, lines: Sequence[str]) -> None:
        access = await asyncio.to_thread(self._access.read)
        try:
            await asyncio.to_thread(write, access, lines)
        except AccessRefused:
            fresh = await asyncio.to_thread(self._access.read, 0)
            if fresh == access:
                raise
            await asyncio.to_thread(write, fresh, lines)

    def _tell(self, problem: str) -> None:
        if problem and problem != self._problem:
            logger.warning(problem)
        elif self._problem and not problem:
            logger.info("points are written again", extra={"fields": {"dropped": self._outbox.dropped}})
            self._outbox.dropped = 0
        self._problem = problem
