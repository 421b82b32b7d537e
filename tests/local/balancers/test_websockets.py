"""WebSockets through a real proxy process."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import ClientSession, WSMsgType, WSServerHandshakeError

from tests.local.balancers.proxies import ToldProxy, group, soon
from tests.local.balancers.targets import TargetServer


async def test_a_websocket_carries_text_bytes_pings_protocols_and_close_codes(
    proxy: ToldProxy, blue: TargetServer, client: ClientSession
) -> None:
    proxy.tell(group(blue))
    async with client.ws_connect("/ws", protocols=["other", "zetta"]) as socket:
        assert socket.protocol == "zetta"
        await socket.send_str("hello")
        assert (await socket.receive()).data == "blue: hello"
        await socket.send_bytes(b"\x00" * 1_000_000)
        assert len((await socket.receive()).data) == 1_000_000
        await soon(lambda: proxy.target(blue).in_flight, lambda count: count == 1)
        await socket.send_str("goodbye")
        assert (await socket.receive()).type is WSMsgType.CLOSE
        assert socket.close_code == 4001
    await soon(lambda: proxy.target(blue).in_flight, lambda count: count == 0)


async def test_the_close_code_of_a_client_reaches_the_target(
    proxy: ToldProxy, blue: TargetServer, client: ClientSession
) -> None:
    proxy.tell(group(blue))
    async with client.ws_connect("/ws") as socket:
        await socket.close(code=4002)
    await soon(lambda: blue.closed_with, lambda code: code == 4002)


async def test_a_ping_is_answered_by_the_target(proxy: ToldProxy, blue: TargetServer, client: ClientSession) -> None:
    proxy.tell(group(blue))
    async with client.ws_connect("/ws", autoping=False) as socket:
        await socket.ping(b"are you there")
        answer = await socket.receive(timeout=2)
        assert (answer.type, bytes(answer.data)) == (WSMsgType.PONG, b"are you there")


async def test_a_websocket_survives_until_the_deregistration_delay_and_is_cut_then(
    proxy: ToldProxy, blue: TargetServer, client: ClientSession
) -> None:
    proxy.tell(group(blue))
    async with client.ws_connect("/ws") as socket:
        proxy.tell(group(blue, draining=True, deregistration_delay=0.4))
        await socket.send_str("still here")
        assert (await socket.receive(timeout=0.3)).data == "blue: still here"
        assert (await socket.receive(timeout=2)).type is WSMsgType.CLOSED
        assert socket.close_code == 1006
    assert proxy.target(blue).state == "drained"


async def test_a_silent_websocket_is_closed_after_the_idle_timeout(
    proxy: ToldProxy, blue: TargetServer, client: ClientSession
) -> None:
    proxy.tell(group(blue), idle_timeout=0.2)
    async with client.ws_connect("/ws") as socket:
        assert (await socket.receive(timeout=2)).type is WSMsgType.CLOSED


async def test_a_websocket_that_the_target_refuses_is_refused_alike(
    proxy: ToldProxy, blue: TargetServer, client: ClientSession
) -> None:
    proxy.tell(group(blue))
    with pytest.raises(WSServerHandshakeError) as refused:
        await client.ws_connect("/health")
    assert refused.value.status == 502
    with pytest.raises(WSServerHandshakeError) as refused:
        await client.ws_connect("/broken")
    assert refused.value.status == 502
    proxy.tell(group())
    with pytest.raises(WSServerHandshakeError) as refused:
        await client.ws_connect("/ws")
    assert refused.value.status == 503


async def test_a_target_that_is_killed_in_a_websocket_closes_the_client(
    proxy: ToldProxy, blue: TargetServer, client: ClientSession
) -> None:
    proxy.tell(group(blue))
    async with client.ws_connect("/ws") as socket:
        await soon(lambda: blue.sockets, bool)
        for transport in blue.sockets:
            transport.abort()
        assert (await socket.receive(timeout=2)).type in (WSMsgType.CLOSE, WSMsgType.CLOSED)


async def test_what_is_sent_after_the_handshake_need_not_be_frames(proxy: ToldProxy) -> None:
    """The hubs of Zetta turn the connection round then: the target asks, in HTTP/2 or SPDY."""

    async def switched(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.readuntil(b"\r\n\r\n")
        if b"upgrade: websocket" in asked.lower():  # not a health check
            writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nPRI * ")
            writer.write((await reader.readexactly(1_000_000))[::-1])
        writer.close()

    raw, target = TargetServer("raw"), "127.35.100.9"
    async with await asyncio.start_server(switched, target, 0) as server:
        raw.address, raw.port = server.sockets[0].getsockname()
        proxy.tell(group(raw))
        reader, writer = await asyncio.open_connection(*proxy.url.removeprefix("http://").split(":"))
        writer.write(b"GET /peers/hub HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n\x00\xff")
        writer.write(b"\x01" * 999_998)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 ")
        assert await reader.read() == b"PRI * " + b"\x01" * 999_998 + b"\xff\x00"
        writer.close()
