"""What the keeper does: a backup into the bucket, a restore from it."""

import asyncio
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp

from link.keeping.archive import Broken, pack, unpack
from link.keeping.influxdb import InfluxDb, Refused

PREFIX = "influxdb/"
SHA256 = "sha256"
TRIAL = "_trial"
"""A database is restored under another name first: what cannot be restored costs nothing."""


class Keeper:
    """Between the server and the bucket; `scratch` is a folder with room for a whole backup, twice."""

    def __init__(self, influxdb: InfluxDb, s3: Any, bucket: str, scratch: Path) -> None:
        self._influxdb = influxdb
        self._s3 = s3
        self._bucket = bucket
        self._scratch = scratch

    async def check(self, credentials: aiohttp.BasicAuth) -> None:
        """Raise Refused when they are not the administrator's."""
        await self._influxdb.ask("SHOW USERS", credentials)

    async def back_up(self) -> str:
        """Put a backup into the bucket; return its key. It is there whole or not at all. Raises Refused."""
        key = f"{PREFIX}backup-{datetime.now(UTC):%Y-%m-%d-%H%M%S}.tar.gz"
        with tempfile.TemporaryDirectory(dir=self._scratch) as scratch:
            folder, file = Path(scratch) / "backup", Path(scratch) / "archive"
            folder.mkdir()
            await self._influxdb.back_up(folder)
            sha256 = await asyncio.to_thread(pack, folder, file)
            extra = {"Metadata": {SHA256: sha256}}
            await asyncio.to_thread(self._s3.upload_file, str(file), self._bucket, key, ExtraArgs=extra)
        return key

    async def restore(self, key: str, credentials: aiohttp.BasicAuth) -> str:
        """Make the databases what they are in that backup; return their names. What came later is gone then.

        Raises Broken or Refused, and until it is known that the backup can be restored nothing is changed. Continuous
        queries and what users may do go with a database: they are to be set up again.
        """
        with tempfile.TemporaryDirectory(dir=self._scratch) as scratch:
            folder, file = Path(scratch) / "backup", Path(scratch) / "archive"
            folder.mkdir()
            sha256 = await asyncio.to_thread(self._fetch, key, file)
            names = await asyncio.to_thread(unpack, file, folder, sha256)
            for name in names:
                await self._drop(name + TRIAL, credentials)
                await self._restore(folder, name, name + TRIAL, credentials)
            for name in names:
                await self._drop(name, credentials)
                await self._influxdb.restore(folder, name, name)
                await self._drop(name + TRIAL, credentials)
        return ", ".join(names)

    async def _restore(self, folder: Path, name: str, trial: str, credentials: aiohttp.BasicAuth) -> None:
        try:
            await self._influxdb.restore(folder, name, trial)
        except Refused as error:
            await self._drop(trial, credentials)
            raise Broken(f"the backup of {name} cannot be restored: {error}") from error

    async def _drop(self, name: str, credentials: aiohttp.BasicAuth) -> None:
        await self._influxdb.ask(f'DROP DATABASE "{name}"', credentials)

    def _fetch(self, key: str, file: Path) -> str:
        head = self._s3.head_object(Bucket=self._bucket, Key=key)
        self._s3.download_file(self._bucket, key, str(file))
        sha256: str | None = head["Metadata"].get(SHA256)
        if sha256 is None:
            raise Broken(f"{key} has no digest beside it: it is no backup of ours")
        return sha256
