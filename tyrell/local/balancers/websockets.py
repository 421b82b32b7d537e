"""Passing WebSockets through: after the handshake whatever one side sends goes to the other, byte for byte.

What is sent need not be WebSocket frames, and the hubs of Zetta do speak another protocol then.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from http.client import HTTPException, parse_headers
from io import BytesIO
from typing import Any

from aiohttp import web
from multidict import CIMultiDict

from tyrell.local.balancers.answers import Refused
from tyrell.local.balancers.exchange import Exchange
from tyrell.local.balancers.forward import CONNECT_TIMEOUT, Unanswered, ask_one, onward_headers
from tyrell.local.balancers.pool import Target, own_end

_LARGEST_READ = 65536
_UPGRADE = {"Connection": "Upgrade", "Upgrade": "websocket"}
_SWITCHING = 101

Send = Callable[[bytes], Awaitable[None]]
Far = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def wants_websocket(request: web.BaseRequest) -> bool:
    """Whether the request asks to become a WebSocket (RFC 6455, section 4.1)."""
    return (
        request.headers.get("Upgrade", "").lower() == "websocket"
        and "upgrade" in request.headers.get("Connection", "").lower()
    )


async def tunnel(exchange: Exchange, source: str | None, idle_timeout: float) -> web.StreamResponse:
    """Carry one WebSocket until either side closes it, or nothing was said for `idle_timeout` seconds.

    The connection to the target comes from the address `source`. When the target's deregistration delay ends, both
    connections are closed, without a word as on AWS. Raises Refused when no target takes the WebSocket.
    """
    return await ask_one(exchange, lambda target: _tunnel_to(exchange, target, source, idle_timeout))


async def _tunnel_to(exchange: Exchange, target: Target, source: str | None, idle_timeout: float) -> web.StreamResponse:
    expired = asyncio.Event()
    with target.carrying(expired.set):
        async with _connected(target, source) as far:
            response = await _handshake(exchange, target, far, idle_timeout)
            await response.prepare(exchange.request)
            await _carry(_incoming(exchange.request), response, far, expired, idle_timeout)
            return response


@asynccontextmanager
async def _connected(target: Target, source: str | None) -> AsyncIterator[Far]:
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT):
            reader, writer = await asyncio.open_connection(target.address, target.port, local_addr=own_end(source))
    except TimeoutError as error:
        raise Refused(504, f"{target.address}:{target.port} did not accept the connection in time") from error
    try:
        yield reader, writer
    finally:
        writer.close()


async def _handshake(exchange: Exchange, target: Target, far: Far, idle_timeout: float) -> web.StreamResponse:
    """The target's answer, when it takes the WebSocket; raises Refused when it does not."""
    (reader, writer), now = far, asyncio.get_running_loop().time
    name, asked = f"{target.address}:{target.port}", now()
    try:
        async with asyncio.timeout(idle_timeout):
            writer.write(_request_head(exchange))
            status, reason, headers = _answer_head(await reader.readuntil(b"\r\n\r\n"))
    except TimeoutError as error:
        raise Refused(504, f"{name} did not take the WebSocket in time") from error
    except (asyncio.IncompleteReadError, ConnectionError) as error:
        raise Unanswered(repr(error)) from error
    except (ValueError, HTTPException, asyncio.LimitOverrunError) as error:
        raise Refused(502, f"{name} gave no valid answer: {error!r}") from error
    if status != _SWITCHING:
        if status >= 400:
            exchange.answered(status, now() - asked)
        raise Refused(exchange.target_status or 502, f"{name} refused the WebSocket: {status} {reason}")
    exchange.upgraded = True
    response = web.StreamResponse(status=status, reason=reason, headers=headers)
    response.force_close()
    return response


def _request_head(exchange: Exchange) -> bytes:
    request = exchange.request
    headers = onward_headers(request, exchange.port)
    headers.update(_UPGRADE)
    lines = [f"{request.method} {request.rel_url.raw_path_qs} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def _answer_head(head: bytes) -> tuple[int, str, CIMultiDict[str]]:
    """Status, reason and headers. Raises ValueError or HTTPException when it is no HTTP."""
    first, _, rest = head.partition(b"\r\n")
    version, status, *reason = first.decode("latin-1").split(" ", 2)
    if not version.startswith("HTTP/1."):
        raise ValueError(f"no HTTP/1: {first!r}")
    return int(status), "".join(reason), CIMultiDict(parse_headers(BytesIO(rest)).items())


class _Incoming:
    """What aiohttp gives the bytes of an upgraded connection to."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        self._reader.feed_data(data)
        return False, b""

    def feed_eof(self) -> None:
        self._reader.feed_eof()


def _incoming(request: web.BaseRequest) -> asyncio.StreamReader:
    """What the client sends after its handshake."""
    reader = asyncio.StreamReader()
    if request.transport is None:  # gone meanwhile
        reader.feed_eof()
        return reader
    reader.set_transport(request.transport)
    request.protocol.set_parser(_Incoming(reader))  # type: ignore[arg-type]  # all it needs of a parser
    return reader


async def _carry(
    near: asyncio.StreamReader, response: web.StreamResponse, far: Far, expired: asyncio.Event, idle_timeout: float
) -> None:
    loop, (reader, writer) = asyncio.get_running_loop(), far

    async def to_target(data: bytes) -> None:
        writer.write(data)
        await writer.drain()

    with suppress(TimeoutError, ConnectionError):
        async with asyncio.timeout(idle_timeout) as idle:

            def heard() -> None:
                idle.reschedule(loop.time() + idle_timeout)

            await _first([_pump(near, to_target, heard), _pump(reader, response.write, heard), expired.wait()])


async def _pump(source: asyncio.StreamReader, send: Send, heard: Callable[[], None]) -> None:
    while data := await source.read(_LARGEST_READ):
        heard()
        await send(data)


async def _first(ends: list[Coroutine[Any, Any, object]]) -> None:
    """Wait for the first to end; the others are cancelled."""
    tasks = [asyncio.create_task(end) for end in ends]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        done.pop().result()
    finally:
        for task in tasks:
            task.cancel()
