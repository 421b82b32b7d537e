"""What every Link service that answers HTTP shares: an orderly start and end."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any

from aiohttp import web

from link.shared.environment import Environment
from link.shared.process import CanNotListen, run_program, set_on_signals
from link.shared.sockets import Socket

SHUTDOWN_TIMEOUT = 5.0

STOP = web.AppKey("stop", asyncio.Event)
BEFORE_STOP = web.AppKey("before_stop", list[Callable[[], Awaitable[None]]])
SOCKETS = web.AppKey("sockets", set[Socket])
FAILURES = web.AppKey("failures", list[BaseException])


class InFlight:
    """The requests that are being answered now, WebSockets included."""

    def __init__(self) -> None:
        self._number = 0
        self._none = asyncio.Event()
        self._none.set()

    async def finished(self, timeout: float) -> None:
        """Return when there is none, after `timeout` seconds at the latest."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._none.wait()

    @web.middleware
    async def middleware(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Count the request as long as its handler runs."""
        self._number += 1
        self._none.clear()
        try:
            return await handler(request)
        finally:
            self._number -= 1
            if not self._number:
                self._none.set()


IN_FLIGHT = web.AppKey("in_flight", InFlight)


def supervise(app: web.Application, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Run `work` beside the requests. If it ever fails, the service stops: half a service is worse than a new one."""

    def ended(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()):
            app[FAILURES].append(error)
            app[STOP].set()

    task = asyncio.create_task(work)
    task.add_done_callback(ended)
    return task


def new_app() -> web.Application:
    """Return an application that ends when its `STOP` event is set.

    It first awaits what is in `BEFORE_STOP`, still answering, and then sends the WebSockets in `SOCKETS` away.
    """
    in_flight = InFlight()
    app = web.Application(client_max_size=2**20, middlewares=[in_flight.middleware])
    app[IN_FLIGHT] = in_flight
    app[SOCKETS] = set()
    app[STOP] = asyncio.Event()
    app[BEFORE_STOP] = []
    app[FAILURES] = []
    return app


async def serve(app: web.Application, address: str, port: int) -> None:
    """Answer on address:port until SIGTERM, SIGINT or `STOP`; then finish what is in flight and clean up.

    Raises `CanNotListen` when the address can not be had, or what a supervised task failed with.
    """
    set_on_signals(app[STOP])
    async with serving(app, address, port):
        logging.getLogger(__name__).info("started", extra={"fields": {"address": address, "port": port}})
        await app[STOP].wait()
        for leave in app[BEFORE_STOP]:
            await leave()
    for error in app[FAILURES]:
        raise error


@contextlib.asynccontextmanager
async def serving(app: web.Application, address: str, port: int) -> AsyncIterator[None]:
    """Answer on address:port; in the end send the WebSockets away and finish the requests. Raises `CanNotListen`."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_TIMEOUT, handler_cancellation=True)
    await runner.setup()
    try:
        site = await _listen(runner, address, port)
        yield
        await site.stop()
        # Before the runner ends: from then on it reads nothing, no close frame and no rest of a request's body.
        await asyncio.gather(*(socket.go_away() for socket in app[SOCKETS]), return_exceptions=True)
        await app[IN_FLIGHT].finished(SHUTDOWN_TIMEOUT)
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, address: str, port: int) -> web.TCPSite:
    try:
        site = web.TCPSite(runner, address, port)
        await site.start()
    except OSError as error:
        raise CanNotListen.at(address, port, error) from error
    return site


def run(service: str, port: tuple[str, int], build: Callable[[Environment], web.Application]) -> None:
    """Run one service until it is told to stop. `port` is the name of its environment variable and its default."""

    async def build_and_serve(environment: Environment) -> None:
        await serve(build(environment), environment.address(), environment.port(*port))

    run_program(service, build_and_serve)
