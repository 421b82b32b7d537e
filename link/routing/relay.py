"""Joins a client's WebSocket with one to a target."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence

import aiohttp
from aiohttp import WSMsgType, hdrs, web

from link.routing.proxy import ATTEMPTS, reason_of, request_headers
from link.shared.records import Target
from link.shared.service import SOCKETS

HEARTBEAT = 20.0
LARGEST_MESSAGE = 2**24

AnySocket = web.WebSocketResponse | aiohttp.ClientWebSocketResponse

logger = logging.getLogger(__name__)


async def relay(http: aiohttp.ClientSession, request: web.Request, targets: Sequence[Target]) -> web.StreamResponse:
    """Join the client's WebSocket with one to the first target that takes it, until either side closes."""
    for target in targets[:ATTEMPTS]:
        try:
            upstream = await _connect(http, request, target)
        except aiohttp.WSServerHandshakeError as error:
            return web.json_response({"error": f"target answered {error.status}"}, status=error.status)
        except (aiohttp.ClientError, TimeoutError) as error:
            logger.warning("%s: %s", target.url, reason_of(error))
            continue
        async with upstream:
            return await _join(request, upstream)
    return web.json_response({"error": f"target {target.url} gave no answer"}, status=502)


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
    )


async def _join(request: web.Request, upstream: aiohttp.ClientWebSocketResponse) -> web.WebSocketResponse:
    protocols = (upstream.protocol,) if upstream.protocol else ()
    client = web.WebSocketResponse(protocols=protocols, heartbeat=HEARTBEAT, max_msg_size=LARGEST_MESSAGE)
    await client.prepare(request)
    request.app[SOCKETS].add(client)
    directions = [asyncio.create_task(_pump(client, upstream)), asyncio.create_task(_pump(upstream, client))]
    try:
        await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
        code = upstream.close_code or client.close_code or aiohttp.WSCloseCode.GOING_AWAY
        await client.close(code=_sendable(code))
        await upstream.close(code=_sendable(code))
    finally:
        request.app[SOCKETS].discard(client)
        for direction in directions:
            direction.cancel()
        await asyncio.gather(*directions, return_exceptions=True)
    return client


async def _pump(source: AnySocket, sink: AnySocket) -> None:
    async for message in _messages(source):
        if message.type is WSMsgType.TEXT:
            await sink.send_str(message.data)
        else:
            await sink.send_bytes(message.data)


async def _messages(source: AnySocket) -> AsyncIterator[aiohttp.WSMessage]:
    async for message in source:
        if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
            yield message


def _sendable(code: int) -> int:
    """Codes that only mean "no close frame came" may not be sent. https://www.rfc-editor.org/rfc/rfc6455#section-7.4"""
    return aiohttp.WSCloseCode.GOING_AWAY if code in (1005, 1006) else code
