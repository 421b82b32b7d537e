"""The record of which hub is connected where, kept in etcd while it is."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator

from link.shared.etcd import Etcd, EtcdRefused, EtcdUnavailable, absent, putting
from link.shared.logs import iso_time
from link.shared.records import Peer, Target

TTL = 120.0
RETRY = 1.0

logger = logging.getLogger(__name__)


class PeerConflict(Exception):
    """A hub of this name is connected already."""


@contextlib.asynccontextmanager
async def claimed(etcd: Etcd, tenant: str, name: str, target: Target) -> AsyncIterator["PeerRecord"]:
    """Hold a peer's record; raises `PeerConflict` when its name is taken, `EtcdUnavailable` when that is unknowable."""
    peer = Peer(name, tenant, target.url, iso_time(time.time()))
    record = PeerRecord(etcd, peer, await etcd.grant(TTL))
    try:
        await record.claim()
        yield record
    finally:
        await asyncio.shield(record.release())


class PeerRecord:
    """A peer's record and the lease that holds it; dies with us at the latest `TTL` seconds after we do."""

    def __init__(self, etcd: Etcd, peer: Peer, lease: int) -> None:
        self._etcd = etcd
        self._peer = peer
        self._lease = lease
        self._keeping: asyncio.Task[None] | None = None

    async def claim(self) -> None:
        """Write the record and keep it until it is released; raises `PeerConflict`."""
        if not await self._write():
            raise PeerConflict(f"peer {self._peer.name} of tenant {self._peer.tenant} is connected already")
        self._keeping = asyncio.create_task(self._keep())

    async def release(self) -> None:
        """Delete the record. Without etcd it goes when its lease ends. Twice is fine."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.wait([self._keeping])
        if not self._lease:
            return
        try:
            await self._etcd.revoke(self._lease)
            self._lease = 0
        except EtcdUnavailable as error:
            logger.warning(
                "peer's record stays until its lease ends: %s", error, extra={"fields": {"peer": self._peer.key}}
            )

    async def _keep(self) -> None:
        """Renew the lease; record the peer again when the lease was lost with etcd."""
        while True:
            await asyncio.sleep(TTL / 3)
            while not await self._renewed():
                await asyncio.sleep(RETRY)

    async def _renewed(self) -> bool:
        try:
            if await self._etcd.keep_alive(self._lease):
                return True
            self._lease = await self._etcd.grant(TTL)
            await self._write()
        except (EtcdUnavailable, EtcdRefused):
            return False
        return True

    async def _write(self) -> bool:
        put = putting(self._peer.key, self._peer.to_json(), self._lease)
        return await self._etcd.transact([absent(self._peer.key)], [put])
