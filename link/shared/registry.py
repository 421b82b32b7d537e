"""What etcd says about targets and the live version, followed as it changes."""

import asyncio
import logging
import time
from collections.abc import Callable

from link.shared.etcd import Change, Etcd, EtcdRefused, EtcdUnavailable, Record
from link.shared.logs import iso_time
from link.shared.records import TARGETS, VERSION_KEY, Target, version_from_json

RETRY = 1.0
BETWEEN_WATCHES = 0.1

logger = logging.getLogger(__name__)


class Registry:
    """A copy of etcd's records of targets and of the live version, kept while etcd is away.

    `version` is None until one was read; `revision` is 0 until etcd was read once. `on_change` is called after changes.
    """

    def __init__(self, etcd: Etcd, on_change: Callable[[], None]) -> None:
        self.version: str | None = None
        self.revision = 0
        self.connected = False
        self.since = iso_time(time.time())
        self._etcd = etcd
        self._on_change = on_change
        self._targets: dict[str, Target] = {}

    @property
    def targets(self) -> list[Target]:
        """All registered targets, in the order of their keys."""
        return [self._targets[key] for key in sorted(self._targets)]

    @property
    def live_targets(self) -> list[Target]:
        """Those of the live version."""
        return [target for target in self.targets if target.version == self.version]

    async def follow(self) -> None:
        """Keep the copy up to date until cancelled.

        After every interruption everything is read again and watched from that revision on, so no change is missed.
        """
        while True:
            try:
                await self._read()
                async for change in self._etcd.watch([VERSION_KEY, TARGETS], self.revision + 1):
                    self._apply(change)
                await asyncio.sleep(BETWEEN_WATCHES)
            except (EtcdUnavailable, EtcdRefused) as error:
                self._set_connected(False, str(error))
                await asyncio.sleep(RETRY)

    async def _read(self) -> None:
        snapshot = await self._etcd.read(VERSION_KEY, TARGETS)
        self._set_connected(True, "etcd answers")
        self._targets.clear()
        for record in snapshot.records.values():
            self._take(record.key, record)
        self.revision = snapshot.revision
        self._on_change()

    def _apply(self, change: Change) -> None:
        self._take(change.key, change.record)
        self.revision = max(self.revision, change.revision)
        self._on_change()

    def _take(self, key: str, record: Record | None) -> None:
        if key == VERSION_KEY:
            self._take_version(record)
        elif key.startswith(TARGETS):
            target = Target.from_json(record.value) if record else None
            if target is None:
                self._targets.pop(key, None)
            else:
                self._targets[key] = target

    def _take_version(self, record: Record | None) -> None:
        """A missing or unreadable version leaves the last one live: losing the key must not stop traffic."""
        version = version_from_json(record.value) if record else None
        if version is None:
            logger.warning("no version in the key, the last one stays live", extra={"fields": {"key": VERSION_KEY}})
        elif version != self.version:
            logger.info("live version", extra={"fields": {"version": version, "before": self.version}})
            self.version = version

    def _set_connected(self, connected: bool, message: str) -> None:
        if connected == self.connected:
            return
        self.connected, self.since = connected, iso_time(time.time())
        logger.log(logging.INFO if connected else logging.WARNING, message)
