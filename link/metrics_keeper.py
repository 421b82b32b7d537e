"""Backs up the data of a metrics stack into its bucket, and restores them, for who is InfluxDB's administrator.

`POST /backups` and `POST /restores` with `{"key": KEY}` begin one (202), or say that another one is under way (409);
`GET /work` tells how the last one goes. All take the administrator's name and password (HTTP basic authentication),
which are InfluxDB's to check. `GET /ping` answers 204.

Settings: COREOS_PRIVATE_IPV4, PORT (8087), BACKUP_BUCKET, AWS_REGION (us-east-1), INFLUXDB_PORT (8086),
BACKUP_PORT (8088), SCRATCH (a folder, the system's own for temporary files).
"""

import asyncio
import logging
import tempfile
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import aiohttp
import boto3
from aiohttp import hdrs, web
from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError

from link.keeping.archive import Broken
from link.keeping.influxdb import InfluxDb, Refused
from link.keeping.work import Keeper
from link.metrics_store import backup_address
from link.shared import service
from link.shared.environment import Environment

logger = logging.getLogger(__name__)


class Work:
    """One thing at a time; what the last one was and how it went."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None
        self.told: dict[str, str] = {"what": "", "state": "none", "result": "", "problem": ""}

    @property
    def is_under_way(self) -> bool:
        """Whether something is."""
        return self._task is not None and not self._task.done()

    def begin(self, what: str, doing: Awaitable[str]) -> None:
        """Do it, and keep what came of it."""
        self.told = {"what": what, "state": "working", "result": "", "problem": ""}
        self._task = asyncio.create_task(self._do(doing))

    async def _do(self, doing: Awaitable[str]) -> None:
        try:
            self.told = {**self.told, "state": "done", "result": await doing}
        except (Broken, Refused, BotoCoreError, ClientError, Boto3Error, OSError) as error:
            self.told = {**self.told, "state": "failed", "problem": str(error)}
        except Exception as error:  # a mistake of ours: nobody may wait for what has ended
            logger.exception("work broke off")
            self.told = {**self.told, "state": "failed", "problem": repr(error)}
        logger.info("work ended", extra={"fields": self.told})


class Api:
    """What is asked over HTTP."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._work = Work()

    async def ping(self, _request: web.Request) -> web.Response:
        """Answer."""
        return web.Response(status=204)

    async def work(self, request: web.Request) -> web.Response:
        """How the last work goes."""
        await self._administrator(request)
        return web.json_response(self._work.told)

    async def back_up(self, request: web.Request) -> web.Response:
        """Begin a backup."""
        await self._administrator(request)
        return self._begin("backup", self._keeper.back_up)

    async def restore(self, request: web.Request) -> web.Response:
        """Begin a restore."""
        credentials = await self._administrator(request)
        key = str((await request.json())["key"])
        return self._begin(f"restore of {key}", partial(self._keeper.restore, key, credentials))

    def _begin(self, what: str, do: Callable[[], Awaitable[str]]) -> web.Response:
        if self._work.is_under_way:
            return web.json_response(self._work.told, status=409)
        self._work.begin(what, do())
        return web.json_response(self._work.told, status=202)

    async def _administrator(self, request: web.Request) -> aiohttp.BasicAuth:
        try:
            credentials = aiohttp.BasicAuth.decode(request.headers.get(hdrs.AUTHORIZATION, ""))
            await self._keeper.check(credentials)
        except (ValueError, Refused) as error:
            raise web.HTTPUnauthorized(text=str(error)) from error
        return credentials


def build(environment: Environment) -> web.Application:
    """Return the keeper as the environment describes it."""
    url = f"http://{environment.address()}:{environment.port('INFLUXDB_PORT', 8086)}"
    s3 = boto3.client("s3", region_name=environment.text("AWS_REGION", "us-east-1"))
    scratch = Path(environment.text("SCRATCH", tempfile.gettempdir()))
    keeper = Keeper(InfluxDb(url, backup_address(environment)), s3, environment.text("BACKUP_BUCKET"), scratch)
    api = Api(keeper)
    app = service.new_app()
    app.add_routes(
        [
            web.get("/ping", api.ping),
            web.get("/work", api.work),
            web.post("/backups", api.back_up),
            web.post("/restores", api.restore),
        ]
    )
    return app


if __name__ == "__main__":
    service.run("metrics-keeper", ("PORT", 8087), build)
