"""Joins a client's WebSocket with one to a target."""

import asyncio
import contextlib

import aiohttp
from aiohttp import WSCloseCode, WSMsgType, hdrs, web

from link.routing.proxy import NoAnswer, request_headers
from link.shared.records import Target
from link.shared.service import SOCKETS
from link.shared.sockets import LARGEST_MESSAGE, BeforeLeaving, Socket

HEARTBEAT = 20.0

AnySocket = web.WebSocketResponse | aiohttp.ClientWebSocketResponse


async def relay(
    http: aiohttp.ClientSession, request: web.Request, target: Target, before_leaving: BeforeLeaving | None = None
) -> web.StreamResponse:
    """Join the client's WebSocket with one to the target until either side leaves; raises `NoAnswer`.

    `before_leaving` is awaited before the client is told to go away, for whatever reason.
    """
    try:
        upstream = await _connect(http, request, target)
    except aiohttp.WSServerHandshakeError as error:
        return web.json_response({"error": f"target answered {error.status}"}, status=error.status)
    except (aiohttp.ClientError, TimeoutError) as error:
        raise NoAnswer(target, error, repeatable=True) from error
    async with upstream:
        client = Socket(HEARTBEAT, (upstream.protocol,) if upstream.protocol else (), before_leaving)
        await client.prepare(request)
        request.app[SOCKETS].add(client)
        try:
            await _join(client, upstream)
        finally:
            request.app[SOCKETS].discard(client)
    return client


async def _connect(
    http: aiohttp.ClientSession, request: web.Request, target: Target
) -> aiohttp.ClientWebSocketResponse:
    headers = request_headers(request)
    protocols = [name.strip() for name in headers.pop(hdrs.SEC_WEBSOCKET_PROTOCOL, "").split(",") if name.strip()]
    for name in [name for name in headers if name.lower().startswith("sec-websocket-")]:
        del headers[name]
    return await http.ws_connect(
        target.url + request.raw_path,
        headers=headers,
        protocols=protocols,
        heartbeat=HEARTBEAT,
        max_msg_size=LARGEST_MESSAGE,
        autoclose=False,
    )


async def _join(client: Socket, upstream: aiohttp.ClientWebSocketResponse) -> None:
    """Pass messages on both ways. The target's close frame is answered last: what the client was sending arrives."""
    to_target = asyncio.create_task(_pump(client, upstream))
    to_client = asyncio.create_task(_pump(upstream, client))
    try:
        await asyncio.wait((to_target, to_client), return_when=asyncio.FIRST_COMPLETED)
        if not to_target.done():
            await client.go_away(_sendable(upstream.close_code))
        await upstream.close(code=_sendable(client.close_code))
    finally:
        to_target.cancel()
        to_client.cancel()
        await asyncio.gather(to_target, to_client, return_exceptions=True)


async def _pump(source: AnySocket, sink: AnySocket) -> None:
    """Pass messages on until the source closes, which must be heard even when the sink is gone."""
    async for message in source:
        with contextlib.suppress(ConnectionError):
            if message.type is WSMsgType.TEXT:
                await sink.send_str(message.data)
            elif message.type is WSMsgType.BINARY:
                await sink.send_bytes(message.data)


def _sendable(code: int | None) -> int:
    """Codes that only mean "no close frame came" may not be sent. https://www.rfc-editor.org/rfc/rfc6455#section-7.4"""
    return WSCloseCode.GOING_AWAY if code in (None, 1005, 1006) else code
