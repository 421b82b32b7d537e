"""One application load balancer as a process: `python -m tyrell.local.balancers.proxy <control socket> [<source>]`.

It is told its whole configuration, and asked for its state, over HTTP on the control socket. It ends when its
standard input does: whoever started it holds the other end of that pipe, so it cannot outlive them.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import uvloop
from aiohttp import web

from tyrell.local.balancers.checks import Checker
from tyrell.local.balancers.config import Balancer, BalancerState, Document, Samples
from tyrell.local.balancers.forward import open_session
from tyrell.local.balancers.listener import Listening
from tyrell.local.balancers.service import Service

log = logging.getLogger(__name__)


class Proxy:
    """The running balancer: its listeners and target groups follow the configuration it was told last."""

    def __init__(self, service: Service, checker: Checker) -> None:
        self._service = service
        self._checker = checker
        self._listening: dict[int, Listening] = {}
        self._failed: dict[int, str] = {}

    async def apply(self, balancer: Balancer) -> None:
        """Become what `balancer` says. Requests in flight go on; no request sees half of an old configuration."""
        self._service.apply(balancer)
        self._checker.follow(list(self._service.groups.values()))
        wanted = {listener.port for listener in balancer.listeners}
        for port in self._listening.keys() - wanted:
            await self._listening.pop(port).close()
        failed: dict[int, str] = {}
        for port in sorted(wanted - self._listening.keys()):
            try:
                self._listening[port] = await Listening.open(self._service, balancer, port)
            except OSError as error:
                failed[port] = f"cannot listen on {balancer.address}:{port}: {error.strerror or error}"
        if failed != self._failed:
            log.info("listening on %s; failed: %s", sorted(self._listening), failed or "none")
        self._failed = failed

    def state(self) -> BalancerState:
        """The state document."""
        groups = {arn: group.state() for arn, group in self._service.groups.items()}
        return BalancerState(failed_listeners=self._failed, target_groups=groups)

    def take_samples(self) -> Samples:
        """What was measured since the last call, and how many targets are healthy now."""
        recorder = self._service.recorder
        for arn, group in self._service.groups.items():
            recorder.add("HealthyHostCount", group.count_in_state("healthy"), target_group=arn)
            recorder.add("UnHealthyHostCount", group.count_in_state("unhealthy"), target_group=arn)
        return recorder.take()


def control(proxy: Proxy) -> web.Application:
    """PUT /configuration (a Balancer) and GET /state, both answered with a BalancerState; POST /samples/take."""

    def answer(document: Document) -> web.Response:
        return web.Response(text=document.model_dump_json(), content_type="application/json")

    async def configure(request: web.Request) -> web.Response:
        await proxy.apply(Balancer.model_validate_json(await request.read()))
        return answer(proxy.state())

    async def show(_: web.Request) -> web.Response:
        return answer(proxy.state())

    async def take(_: web.Request) -> web.Response:
        return answer(proxy.take_samples())

    application = web.Application(client_max_size=64 * 1024 * 1024)
    application.router.add_put("/configuration", configure)
    application.router.add_get("/state", show)
    application.router.add_post("/samples/take", take)
    return application


async def run(socket: Path, source: str | None) -> None:
    """Serve on the control socket until standard input ends; `source` is where connections to targets come from."""
    socket.unlink(missing_ok=True)
    async with AsyncExitStack() as cleanup:
        session = await cleanup.enter_async_context(open_session(source))
        checker = Checker(source)
        cleanup.push_async_callback(checker.close)
        runner = web.AppRunner(control(Proxy(Service(session, source), checker)), access_log=None, shutdown_timeout=1)
        await runner.setup()
        await web.UnixSite(runner, str(socket)).start()
        log.info("waiting for a configuration on %s", socket)
        await _end_of_input()
        socket.unlink(missing_ok=True)


async def _end_of_input() -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()


def main() -> None:
    """The process."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    socket, *source = sys.argv[1:]
    uvloop.run(run(Path(socket), source[0] if source else None))


if __name__ == "__main__":
    main()
