"""How a router process ends."""

import asyncio
import contextlib
import functools
import signal
from collections.abc import AsyncIterator

import aiohttp
from aiohttp import web

from link.shared.etcd import Etcd
from link.shared.records import PEERS
from tests.link.asking import TENANT, await_up, own_target
from tests.link.etcd_server import HOST
from tests.link.processes import Stack, service_process, service_variables
from tests.link.test_target import gone
from tests.link.waiting import eventually


@contextlib.asynccontextmanager
async def router_process(
    http: aiohttp.ClientSession, etcd_port: int, targets: list[str]
) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """Run a router until it sees the targets up; give the process and its URL."""
    variables = service_variables(f"{HOST}:{etcd_port}", "PORT") | {"MONITOR_INTERVAL": "0.1"}
    url = f"http://{variables['COREOS_PRIVATE_IPV4']}:{variables['PORT']}"
    async with service_process("link.router", variables) as process:

        async def answers() -> bool:
            with contextlib.suppress(aiohttp.ClientConnectorError):
                async with http.get(f"{url}/health") as response:
                    return response.status == 200
            return False

        await eventually(f"{url} is healthy", answers)
        await await_up(http, url, targets)
        yield process, url


async def refuses(url: str) -> bool:
    """Whether nothing listens there any more."""
    host, port = url.removeprefix("http://").split(":")
    try:
        _, writer = await asyncio.open_connection(host, int(port))
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:
        return False
    writer.close()
    return False


async def test_a_router_that_is_told_to_stop_closes_its_peers_and_deletes_their_records(
    stack: Stack, etcd: Etcd, etcd_port: int, http: aiohttp.ClientSession
) -> None:
    target = await stack.target()
    async with (
        router_process(http, etcd_port, [target]) as (process, url),
        http.ws_connect(f"{url}/peers/hub1", headers={TENANT: "acme"}) as socket,
    ):
        process.send_signal(signal.SIGTERM)
        message = await socket.receive(timeout=5)
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1001)
        await socket.close()
        assert await asyncio.wait_for(process.wait(), 6) == 0
        assert await gone(etcd, f"{PEERS}acme/hub1")


async def test_a_request_in_flight_is_finished_before_a_router_stops(
    stack: Stack, etcd: Etcd, etcd_port: int, http: aiohttp.ClientSession
) -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_request: web.Request) -> web.Response:
        asked.set()
        await go_on.wait()
        return web.Response(text="finished")

    app = web.Application()
    app.router.add_post("/servers/slow", slow)
    target, _runner = await own_target(stack, etcd, app)
    async with router_process(http, etcd_port, [target]) as (process, url):

        async def post() -> str:
            async with http.post(f"{url}/servers/slow") as response:
                return await response.text()

        request = asyncio.create_task(post())
        await asyncio.wait_for(asked.wait(), 5)
        process.send_signal(signal.SIGTERM)
        await eventually("the router accepts nothing new", functools.partial(refuses, url))
        go_on.set()
        assert await request == "finished"
        assert await asyncio.wait_for(process.wait(), 6) == 0
