"""A target's own record in etcd: there while the target lives, gone soon after it does not."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
from aiohttp import web

from link.shared.etcd import Etcd, EtcdRefused, EtcdUnavailable
from link.shared.logs import iso_time
from link.shared.monitor import Refused, checking_session, probe
from link.shared.records import Target
from link.shared.service import supervise

RETRY = 1.0
RETRY_PROBE = 0.1
WITHDRAW_TIMEOUT = 5.0
UNTIL_ROUTERS_KNOW = 0.5  # seconds; they watch the records and usually know within 0.05

logger = logging.getLogger(__name__)


class Registration:
    """Registers a target once it answers, keeps its lease alive every `ttl / 3` seconds and learns its tenant.

    The record is never written again while the lease lives: that would take the target from its tenant. When the lease
    was lost, the target registers anew and is free.
    """

    def __init__(self, etcd: Etcd, url: str, version: str, ttl: float) -> None:
        self.tenant: str | None = None
        self._etcd = etcd
        self._target = Target(url, "", version)
        self._ttl = ttl
        self._lease = 0
        self._reachable = True
        self._running: asyncio.Task[None] | None = None

    @property
    def registered(self) -> bool:
        """Whether the target believes that its record is there."""
        return self._lease != 0

    async def running(self, app: web.Application) -> AsyncIterator[None]:
        """Register as soon as the target answers, and stay registered for as long as the application runs."""
        self._running = supervise(app, self._run())
        yield
        await self.withdraw()
        await self._etcd.close()

    async def leave(self) -> None:
        """Remove the record and return when the routers send nothing new; until then the target must answer."""
        await self.withdraw()
        await asyncio.sleep(UNTIL_ROUTERS_KNOW)

    async def withdraw(self) -> None:
        """Remove the record and do not register again; twice is fine. Without etcd it goes when its lease ends."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait([self._running])
        lease, self._lease = self._lease, 0
        if lease:
            try:
                async with asyncio.timeout(WITHDRAW_TIMEOUT):
                    await self._etcd.revoke(lease)
                logger.info("record removed", extra={"fields": {"key": self._target.key}})
            except (EtcdUnavailable, TimeoutError) as error:
                logger.warning("record stays until its lease ends: %s", error)

    async def _run(self) -> None:
        await self._answering()
        while True:
            try:
                await (self._stay() if self.registered else self._register())
                self._reachable = True
            except (EtcdUnavailable, EtcdRefused) as error:
                if self._reachable:
                    logger.warning("%s", error)
                self._reachable = False
            await asyncio.sleep(self._ttl / 3 if self._reachable and self.registered else RETRY)

    async def _answering(self) -> None:
        """Return when the target answers a request sent to its own address."""
        async with checking_session() as http:
            while True:
                try:
                    return await probe(http, self._target)
                except (Refused, aiohttp.ClientError, TimeoutError):
                    await asyncio.sleep(RETRY_PROBE)

    async def _register(self) -> None:
        """Write the record, over one that a dead process may have left here: a new process has no tenant."""
        self._target = replace(self._target, created=iso_time(time.time()))
        self._lease, self.tenant = await self._etcd.grant(self._ttl), None
        await self._etcd.put(self._target.key, self._target.to_json(), self._lease)
        logger.info("registered", extra={"fields": {"key": self._target.key, "version": self._target.version}})

    async def _stay(self) -> None:
        alive = await self._etcd.keep_alive(self._lease)
        record = await self._etcd.get(self._target.key)
        if not alive or record is None:
            logger.warning("the record is gone, registering anew", extra={"fields": {"key": self._target.key}})
            self._lease, self.tenant = 0, None
            return await self._register()
        target = Target.from_json(record.value)
        self.tenant = target.tenant if target else None
        return None
