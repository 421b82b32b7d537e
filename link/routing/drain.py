"""Closes a router's WebSockets a few at a time, so that their clients come back through the load balancer."""

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator

from aiohttp import hdrs, web

from link.shared.service import supervise
from link.shared.sockets import Socket

DEFAULT_RATE = "50"


class Drain:
    """What `/drain` answers. Move the traffic away first: a client that comes back here is not sent away again."""

    def __init__(self, sockets: set[Socket]) -> None:
        self._sockets = sockets
        self._rate = 0.0
        self._rate_changed = asyncio.Event()
        self._draining: asyncio.Task[None] | None = None

    async def running(self, _app: web.Application) -> AsyncIterator[None]:
        """Drain at the longest for as long as the application runs."""
        yield
        if self._draining is not None:
            self._draining.cancel()

    async def state(self, request: web.Request) -> web.Response:
        """How many WebSockets are open now."""
        _check_operator(request)
        return self._answer(200)

    async def start(self, request: web.Request) -> web.Response:
        """Begin to close the WebSockets that are open now, `rate` a second; if that is going on, change the rate."""
        _check_operator(request)
        self._rate = _rate(request.query.get("rate", DEFAULT_RATE))
        self._rate_changed.set()
        if self._draining is None or self._draining.done():
            self._draining = supervise(request.app, self._drain(list(self._sockets)))
        return self._answer(202)

    async def _drain(self, sockets: list[Socket]) -> None:
        async with asyncio.TaskGroup() as leaving:
            for socket in sockets:
                if not socket.leaving:
                    leaving.create_task(socket.go_away())
                    await self._pause()

    async def _pause(self) -> None:
        """Wait as long as the rate asks, also when it changes meanwhile."""
        clock = asyncio.get_running_loop().time
        last = clock()
        while (left := last + 1 / self._rate - clock()) > 0:
            self._rate_changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._rate_changed.wait()

    def _answer(self, status: int) -> web.Response:
        return web.json_response({"sockets": len(self._sockets)}, status=status)


def _check_operator(request: web.Request) -> None:
    """A request that came through the load balancer finds nothing here.

    The balancer adds X-Forwarded-For to every request.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html
    """
    if hdrs.X_FORWARDED_FOR in request.headers:
        raise web.HTTPNotFound


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = math.nan
    if not 0 < rate < math.inf:
        raise web.HTTPBadRequest(text=f"rate must be a number of sockets per second above 0, not {text!r}\n")
    return rate
