"""What every Link service shares: an orderly start and end."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from aiohttp import WSCloseCode, web

from link.shared.environment import Environment, SettingError
from link.shared.logs import log_to_stdout

SHUTDOWN_TIMEOUT = 5.0

STOP = web.AppKey("stop", asyncio.Event)
SOCKETS = web.AppKey("sockets", set[web.WebSocketResponse])
FAILURES = web.AppKey("failures", list[BaseException])


class CanNotListen(Exception):
    """The address and port can not be had; the text is one sentence."""


async def close_sockets(app: web.Application) -> None:
    """Tell every open WebSocket that the service goes away (close code 1001)."""
    closing = [socket.close(code=WSCloseCode.GOING_AWAY, message=b"service stops") for socket in app[SOCKETS]]
    await asyncio.gather(*closing, return_exceptions=True)


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
    """Return an application that ends when its `STOP` event is set and then closes the WebSockets in `SOCKETS`."""
    app = web.Application(client_max_size=2**20)
    app[SOCKETS] = set()
    app[STOP] = asyncio.Event()
    app[FAILURES] = []
    app.on_shutdown.append(close_sockets)
    return app


async def serve(app: web.Application, address: str, port: int) -> None:
    """Answer on address:port until SIGTERM, SIGINT or `STOP`; then finish what is in flight and clean up.

    Raises `CanNotListen` when the address can not be had, or what a supervised task failed with.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, app[STOP].set)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_TIMEOUT, handler_cancellation=True)
    await runner.setup()
    try:
        await _listen(runner, address, port)
        logging.getLogger(__name__).info("started", extra={"fields": {"address": address, "port": port}})
        await app[STOP].wait()
    finally:
        await runner.cleanup()
    for error in app[FAILURES]:
        raise error


async def _listen(runner: web.AppRunner, address: str, port: int) -> None:
    try:
        await web.TCPSite(runner, address, port).start()
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise CanNotListen(f"can not listen on {address}:{port}: {reason}") from error


def run(service: str, port: tuple[str, int], build: Callable[[Environment], web.Application]) -> None:
    """Run one service until it is told to stop. `port` is the name of its environment variable and its default.

    Exits 2 with one sentence for a bad setting, 1 when the address is taken or not this machine's.
    """
    log_to_stdout(service)
    environment = Environment(os.environ)

    async def build_and_serve() -> None:
        await serve(build(environment), environment.address(), environment.port(*port))

    try:
        asyncio.run(build_and_serve())
    except SettingError as error:
        print(f"{service}: {error}", file=sys.stderr)
        sys.exit(2)
    except CanNotListen as error:
        print(f"{service}: {error}", file=sys.stderr)
        sys.exit(1)
