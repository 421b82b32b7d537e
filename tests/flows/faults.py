"""What is wrong with a bad release: this file goes into its image as `link/faults.py`, and one service calls it.

Each fault takes the service's application while it is built. A check of a service's health is `/health`, or the bare
`GET /` by which routers check targets; a request of a tenant names the tenant, or came through a balancer or a router.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
import time

from aiohttp import web
from aiohttp.typedefs import Handler

ERROR_EVERY = 5
"""One request in five: 20 %."""

SLOWER_BY = 0.4
HEALTHY_FOR = 8.0
HANGS_FOR = 3600.0

_PASSED_ON = {"X-Forwarded-For", "x-apigee-iot-tenant-id"}


def _is_check(request: web.Request) -> bool:
    return request.path in {"/health", "/"} and not any(name in request.headers for name in _PASSED_ON)


def _failure() -> web.Response:
    return web.json_response({"error": "this release is bad"}, status=500)


def crash(_app: web.Application) -> None:
    """The process exits 1 at start."""
    sys.exit(1)


def errors(app: web.Application) -> None:
    """Every fifth request gets 500."""
    turn = itertools.count(1)

    @web.middleware
    async def fail_some(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not _is_check(request) and next(turn) % ERROR_EVERY == 0:
            return _failure()
        return await handler(request)

    app.middlewares.append(fail_some)


def slow(app: web.Application) -> None:
    """Each request takes 400 ms more."""

    @web.middleware
    async def delay(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not _is_check(request):
            await asyncio.sleep(SLOWER_BY)
        return await handler(request)

    app.middlewares.append(delay)


def liar(app: web.Application) -> None:
    """Says it is healthy, but serves nobody: requests get 500 and hang in turn."""
    turn = itertools.count(1)

    @web.middleware
    async def serve_nobody(request: web.Request, handler: Handler) -> web.StreamResponse:
        if _is_check(request):
            return await handler(request)
        if next(turn) % 2 == 0:
            await asyncio.sleep(HANGS_FOR)
        return _failure()

    app.middlewares.append(serve_nobody)


def flaps(app: web.Application) -> None:
    """Healthy for eight seconds, then never again."""
    started = time.monotonic()

    @web.middleware
    async def fail_checks(request: web.Request, handler: Handler) -> web.StreamResponse:
        if _is_check(request) and time.monotonic() - started > HEALTHY_FOR:
            return web.json_response({"status": "this release is bad"}, status=503)
        return await handler(request)

    app.middlewares.append(fail_checks)
