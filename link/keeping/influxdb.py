"""InfluxDB as the keeper needs it: as the administrator who asks, and through its own program for backups."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

OWN = "_internal"


class Refused(Exception):
    """InfluxDB, or its program, said no; the text says what it said."""


class InfluxDb:
    """The server at `url`, and where it hands out backups."""

    def __init__(self, url: str, backup_address: str) -> None:
        self._url = url
        self._backup_address = backup_address

    async def ask(self, statement: str, credentials: aiohttp.BasicAuth) -> None:
        """Do something as that administrator. Raises Refused, also for an error in an answer that is 200."""
        async with self._session() as session:
            request = session.post(f"{self._url}/query", data={"q": statement}, auth=credentials)
            async with request as response:
                told = await response.json(content_type=None)
        problems = [told.get("error"), *(result.get("error") for result in told.get("results", []))]
        for problem in filter(None, problems):
            raise Refused(f"InfluxDB refused {statement.split(' WITH ', maxsplit=1)[0]!r}: {problem}")

    async def back_up(self, folder: Path) -> None:
        """Write all databases, without users, into `folder`. Raises Refused."""
        await self._run("backup", "-portable", "-host", self._backup_address, str(folder))

    async def restore(self, folder: Path, database: str, name: str) -> None:
        """Make the database `name`, which must not be there, of what `folder` has of `database`. Raises Refused."""
        await self._run(
            *("restore", "-portable", "-host", self._backup_address, "-db", database),
            *(() if name == database else ("-newdb", name)),
            str(folder),
        )

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[aiohttp.ClientSession]:
        try:
            async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session:
                yield session
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise Refused(f"InfluxDB does not answer: {error or type(error).__name__}") from error

    @staticmethod
    async def _run(*arguments: str) -> None:
        process = await asyncio.create_subprocess_exec(
            *("influxd", *arguments), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        try:
            output, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
        if process.returncode:
            last = (output.decode(errors="replace").strip() or "nothing").splitlines()[-1]
            raise Refused(f"influxd {arguments[0]} failed and said: {last}")
