"""The way of points into InfluxDB: whoever the stack's secret says we are, there and now."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence

from link.metrics.outbox import Outbox
from link.metrics.writing import AccessRefused, NotWritten, PointsRefused, write
from link.shared.access import Access, Secret, SecretMissing, SecretUnusable

GOOD_FOR = 60.0
"""Seconds until the secret is read again. AWS takes money for it: https://aws.amazon.com/secrets-manager/pricing/"""

logger = logging.getLogger(__name__)


class Sender:
    """Sends what is in the outbox; a reason why it can not is logged once, until there is another."""

    def __init__(self, secret: Secret, outbox: Outbox) -> None:
        self._secret = secret
        self._outbox = outbox
        self._access: Access | None = None
        self._read = 0.0
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
        access = await self._find_access(good_for=GOOD_FOR)
        try:
            await asyncio.to_thread(write, access, lines)
        except AccessRefused:
            fresh = await self._find_access(good_for=0)
            if fresh == access:
                raise
            await asyncio.to_thread(write, fresh, lines)

    async def _find_access(self, good_for: float) -> Access:
        """What the secret says, read within the last `good_for` seconds; older while nobody can be asked."""
        now = time.monotonic()
        if self._access and now - self._read < good_for:
            return self._access
        try:
            self._access, self._read = await asyncio.to_thread(self._secret.read), now
        except SecretMissing:
            self._access = None
            raise
        except SecretUnusable:
            if self._access is None:
                raise
        return self._access

    def _tell(self, problem: str) -> None:
        if problem and problem != self._problem:
            logger.warning(problem)
        elif self._problem and not problem:
            logger.info("points are written again", extra={"fields": {"dropped": self._outbox.dropped}})
            self._outbox.dropped = 0
        self._problem = problem
