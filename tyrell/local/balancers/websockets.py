"""Passing WebSockets through: one to the client, one to a target, message by message in both directions."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any

import aiohttp
from aiohttp import WSCloseCode, WSMsgType, web

from tyrell.local.balancers.answers import Refused
from tyrell.local.balancers.exchange import Exchange
from tyrell.local.balancers.forward import ask_one, onward_headers, target_url
from tyrell.local.balancers.pool import Target

Socket = web.WebSocketResponse | aiohttp.ClientWebSocketResponse

_HANDSHAKE = ("Sec-WebSocket-Key", "Sec-WebSocket-Version", "Sec-WebSocket-Extensions", "Sec-WebSocket-Protocol")
_NO_STATUS = 1005  # RFC 6455, section 7.4.1: stands for "the close frame had no code", never sent itself
_LARGEST_MESSAGE = 0  # no limit of our own: the target has its own


def wants_websocket(request: web.BaseRequest) -> bool:
    """Whether the request asks to become a WebSocket (RFC 6455, section 4.1)."""
    return (
        request.headers.get("Upgrade", "").lower() == "websocket"
        and "upgrade" in request.headers.get("Connection", "").lower()
    )


async def tunnel(session: aiohttp.ClientSession, exchange: Exchange, idle_timeout: float) -> web.StreamResponse:
    """Carry one WebSocket until either side closes it, or nothing was said for `idle_timeout` seconds.

    Pings, pongs and close codes go through. When the target's deregistration delay ends, both sides are closed
    with 1001 (going away). Raises Refused when no target takes the WebSocket.
    """
    return await ask_one(exchange, lambda target: _tunnel_to(session, exchange, target, idle_timeout))


async def _tunnel_to(
    session: aiohttp.ClientSession, exchange: Exchange, target: Target, idle_timeout: float
) -> web.StreamResponse:
    now = asyncio.get_running_loop().time
    expired, asked = asyncio.Event(), now()
    with target.carrying(expired.set):
        try:
            async with asyncio.timeout(idle_timeout):
                far = await _connect(session, exchange.request, target, exchange.port)
        except aiohttp.WSServerHandshakeError as error:
            if error.status >= 400:
                exchange.answered(error.status, now() - asked)
            raise Refused(
                exchange.target_status or 502, f"{target.address}:{target.port} refused the WebSocket: {error.message}"
            ) from error
        except aiohttp.ClientConnectorError:
            raise
        except TimeoutError as error:
            raise Refused(504, f"{target.address}:{target.port} did not take the WebSocket in time") from error
        except aiohttp.ClientError as error:
            raise Refused(502, f"{target.address}:{target.port} gave no valid answer: {error!r}") from error
        exchange.upgraded = True
        async with far:
            near = web.WebSocketResponse(
                protocols=[far.protocol] if far.protocol else (),
                autoping=False,
                autoclose=False,
                compress=False,
                max_msg_size=_LARGEST_MESSAGE,
            )
            await near.prepare(exchange.request)
            await _carry(near, far, expired, idle_timeout)
            return near


async def _connect(
    session: aiohttp.ClientSession, request: web.BaseRequest, target: Target, port: int
) -> aiohttp.ClientWebSocketResponse:
    headers = onward_headers(request, port)
    offered = ",".join(headers.popall("Sec-WebSocket-Protocol", []))
    for name in _HANDSHAKE:
        headers.popall(name, None)
    return await session.ws_connect(
        target_url(target, request),
        headers=headers,
        protocols=[protocol.strip() for protocol in offered.split(",") if protocol.strip()],
        autoping=False,
        autoclose=False,
        max_msg_size=_LARGEST_MESSAGE,
    )


async def _carry(near: Socket, far: Socket, expired: asyncio.Event, idle_timeout: float) -> None:
    loop = asyncio.get_running_loop()
    code: int = WSCloseCode.GOING_AWAY
    with suppress(TimeoutError):
        async with asyncio.timeout(idle_timeout) as idle:

            def heard() -> None:
                idle.reschedule(loop.time() + idle_timeout)

            ends = [_pump(near, far, heard), _pump(far, near, heard), _going_away(expired)]
            code = await _first(ends)
    await asyncio.gather(near.close(code=code), far.close(code=code))


async def _first(ends: list[Coroutine[None, None, int]]) -> int:
    """The result of the first to end; the others are cancelled."""
    tasks = [asyncio.create_task(end) for end in ends]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return done.pop().result()
    finally:
        for task in tasks:
            task.cancel()


async def _going_away(expired: asyncio.Event) -> int:
    await expired.wait()
    return WSCloseCode.GOING_AWAY


async def _pump(source: Socket, sink: Socket, heard: Callable[[], None]) -> int:
    """Copy messages until `source` closes, or `sink` is gone; the code that the other side is to be closed with."""
    with suppress(ConnectionError):
        while (message := await source.receive()).type in _SENDERS:
            heard()
            await _SENDERS[message.type](sink, message.data)
        if message.type is WSMsgType.CLOSE:
            return WSCloseCode.OK if message.data in (None, 0, _NO_STATUS) else int(message.data)
    return WSCloseCode.GOING_AWAY


_SENDERS: dict[WSMsgType, Callable[[Socket, Any], Awaitable[None]]] = {
    WSMsgType.TEXT: lambda sink, data: sink.send_str(data),
    WSMsgType.BINARY: lambda sink, data: sink.send_bytes(data),
    WSMsgType.PING: lambda sink, data: sink.ping(data),
    WSMsgType.PONG: lambda sink, data: sink.pong(data),
}
