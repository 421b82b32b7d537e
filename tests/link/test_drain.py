"""A router sends its WebSockets away: gently, at a rate, and only for the operator's machine."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import aiohttp
import pytest
from aiohttp import WSMsgType, web

from link.shared.etcd import Etcd
from tests.link.asking import TENANT, await_up, own_target
from tests.link.bare_websocket import BareWebSocket
from tests.link.processes import Stack
from tests.link.waiting import eventually

ACME = {TENANT: "acme"}
MEGABYTE = 2**20

Handler = Callable[[web.Request], Awaitable[web.WebSocketResponse]]


async def drain(http: aiohttp.ClientSession, router: str, rate: str) -> int:
    """Ask the router to drain; return how many sockets were open."""
    async with http.post(f"{router}/drain?rate={rate}") as response:
        assert response.status == 202
        return int((await response.json())["sockets"])


async def open_sockets(http: aiohttp.ClientSession, router: str) -> int:
    """How many sockets the router says are open."""
    async with http.get(f"{router}/drain") as response:
        assert response.status == 200
        return int((await response.json())["sockets"])


async def await_drained(http: aiohttp.ClientSession, router: str) -> None:
    """Wait until the router has no open socket."""

    async def none_open() -> bool:
        return await open_sockets(http, router) == 0

    await eventually("no socket is open", none_open, timeout=6)


async def close_code(socket: aiohttp.ClientWebSocketResponse) -> int | None:
    """Read until the other side closes; return its close code."""
    async with asyncio.timeout(5):
        async for _ in socket:
            pass
    return socket.close_code


async def router_to(stack: Stack, http: aiohttp.ClientSession, etcd: Etcd, handler: Handler) -> str:
    """Start a router whose only target answers `/servers/one` with this handler."""
    app = web.Application()
    app.router.add_get("/servers/one", handler)
    target, _runner = await own_target(stack, etcd, app)
    router = await stack.router()
    await await_up(http, router, [target])
    return router


async def test_sockets_are_closed_one_after_the_other_at_the_rate_asked_for(
    stack: Stack, http: aiohttp.ClientSession
) -> None:
    target, router = await stack.target(), await stack.router()
    await await_up(http, router, [target])
    sockets = [await http.ws_connect(f"{router}/events", headers=ACME) for _ in range(6)]
    started = time.monotonic()
    assert await drain(http, router, rate="20") == 6
    closed_after = []
    for socket in sockets:
        closing = asyncio.create_task(close_code(socket))
        closing.add_done_callback(lambda _: closed_after.append(time.monotonic() - started))
    await await_drained(http, router)
    assert [socket.close_code for socket in sockets] == [1001] * 6
    assert all(after >= number / 20 for number, after in enumerate(sorted(closed_after)))


async def test_a_second_request_only_changes_the_rate(stack: Stack, http: aiohttp.ClientSession) -> None:
    target, router = await stack.target(), await stack.router()
    await await_up(http, router, [target])
    sockets = [await http.ws_connect(f"{router}/events", headers=ACME) for _ in range(4)]
    await drain(http, router, rate="0.001")
    closing = [asyncio.create_task(close_code(socket)) for socket in sockets]

    async def one_is_closed() -> bool:
        return await open_sockets(http, router) == 3

    await eventually("one socket is closed", one_is_closed, timeout=3)
    assert await drain(http, router, rate="1000") == 3
    assert await asyncio.gather(*closing) == [1001] * 4
    await await_drained(http, router)


async def test_a_hub_that_is_sent_away_connects_to_another_router_at_once(
    stack: Stack, http: aiohttp.ClientSession
) -> None:
    target, old, new = await stack.target(), await stack.router(), await stack.router()
    for router in (old, new):
        await await_up(http, router, [target])
    hubs = {name: await http.ws_connect(f"{old}/peers/{name}", headers=ACME) for name in ("hub1", "hub2", "hub3")}
    assert await drain(http, old, rate="1000") == 3
    for name, socket in hubs.items():
        message = await socket.receive(timeout=3)
        async with http.ws_connect(f"{new}/peers/{name}", headers=ACME) as again:
            assert (message.type, message.data) == (WSMsgType.CLOSE, 1001)
            await again.send_str("hello")
    await await_drained(http, old)


async def test_a_message_that_the_client_is_receiving_arrives_whole_before_the_close(
    stack: Stack, http: aiohttp.ClientSession, etcd: Etcd
) -> None:
    async def tell(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_bytes(b"x" * 8 * MEGABYTE)
        await socket.receive()
        return socket

    router = await router_to(stack, http, etcd, tell)
    client = await BareWebSocket.connect(router, "/servers/one")
    length = await client.begin_message()
    await drain(http, router, rate="1000")
    assert await client.end_message(length) == b"x" * 8 * MEGABYTE
    assert await client.read_close_code() == 1001
    await client.close()
    await await_drained(http, router)


async def test_a_message_the_client_is_sending_still_arrives_whole(
    stack: Stack, http: aiohttp.ClientSession, etcd: Etcd
) -> None:
    received: list[int] = []

    async def listen(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(max_msg_size=16 * MEGABYTE)
        await socket.prepare(request)
        async for message in socket:
            received.append(len(message.data))
        return socket

    router = await router_to(stack, http, etcd, listen)
    client = await BareWebSocket.connect(router, "/servers/one")
    await client.send_half(b"y" * MEGABYTE)
    await drain(http, router, rate="1000")
    assert await client.read_close_code() == 1001
    await client.send_other_half()
    await client.close()
    await await_drained(http, router)
    assert received == [MEGABYTE]


@pytest.mark.cloud
async def test_a_client_that_does_not_answer_the_close_is_cut_off(stack: Stack, http: aiohttp.ClientSession) -> None:
    target, router = await stack.target(), await stack.router()
    await await_up(http, router, [target])
    client = await BareWebSocket.connect(router, "/peers/hub1")
    await drain(http, router, rate="1000")
    assert await client.read_close_code() == 1001
    await await_drained(http, router)
    await client.close()


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_through_the_load_balancer_there_is_nothing_to_drain(
    stack: Stack, http: aiohttp.ClientSession, method: str
) -> None:
    target, router = await stack.target(), await stack.router()
    await await_up(http, router, [target])
    async with http.ws_connect(f"{router}/events", headers=ACME) as socket:
        async with http.request(method, f"{router}/drain", headers={"X-Forwarded-For": "203.0.113.9"}) as response:
            assert response.status == 404
        assert await open_sockets(http, router) == 1
        assert (await socket.receive(timeout=3)).type is WSMsgType.TEXT


@pytest.mark.parametrize("rate", ["0", "-1", "nan", "inf", "fast", ""])
async def test_a_rate_that_is_none_is_refused(stack: Stack, http: aiohttp.ClientSession, rate: str) -> None:
    async with http.post(f"{await stack.router()}/drain?rate={rate}") as response:
        assert response.status == 400
        assert f"rate must be a number of sockets per second above 0, not '{rate}'" in await response.text()
