"""The router before real targets: WebSockets, and the hubs that hold them."""

import aiohttp
import pytest
from aiohttp import WSMsgType, web

from link.shared.etcd import Etcd
from link.shared.records import PEERS
from tests.link.asking import TENANT, await_up, own_target
from tests.link.processes import Stack
from tests.link.waiting import eventually


async def test_a_websocket_passes_both_ways(stack: Stack, http: aiohttp.ClientSession) -> None:
    target = await stack.target()
    router = await stack.router()
    await await_up(http, router, [target])
    async with http.ws_connect(f"{router}/events", headers={TENANT: "acme"}) as socket:
        event = await socket.receive_json(timeout=3)
        assert set(event) == {"topic", "timestamp", "data"}
        await socket.close(code=1000)


async def test_a_peers_record_lives_as_long_as_its_socket_and_its_name_is_taken(
    stack: Stack, http: aiohttp.ClientSession, etcd: Etcd
) -> None:
    target = await stack.target()
    routers = [await stack.router() for _ in range(2)]
    for router in routers:
        await await_up(http, router, [target])
    async with http.ws_connect(f"{routers[0]}/peers/hub1", headers={TENANT: "acme"}):
        record = await etcd.get(f"{PEERS}acme/hub1")
        assert record is not None
        assert record.lease != 0
        assert record.value.startswith(f'{{"name":"hub1","tenantId":"acme","url":"{target}","created":"20')
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(f"{routers[1]}/peers/hub1", headers={TENANT: "acme"})
        assert refused.value.status == 409

    async def is_gone() -> bool:
        return await etcd.get(f"{PEERS}acme/hub1") is None

    await eventually("the peer's record is gone", is_gone)
    async with http.ws_connect(f"{routers[1]}/peers/hub1", headers={TENANT: "acme"}) as again:
        await again.send_str("hello")


async def test_a_message_larger_than_a_buffer_reaches_the_other_side(
    stack: Stack, http: aiohttp.ClientSession, etcd: Etcd
) -> None:
    async def echo(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            if message.type is WSMsgType.BINARY:
                await socket.send_bytes(message.data)
        return socket

    app = web.Application(client_max_size=2**24)
    app.router.add_get("/servers/echo", echo)
    target, _runner = await own_target(stack, etcd, app)
    router = await stack.router()
    await await_up(http, router, [target])
    async with http.ws_connect(f"{router}/servers/echo") as socket:
        await socket.send_bytes(b"x" * 1_000_000)
        assert await socket.receive_bytes(timeout=3) == b"x" * 1_000_000
