"""A router that loses etcd: what it does meanwhile, and that it misses nothing."""

from collections.abc import Awaitable, Callable

import aiohttp
import pytest

from link.shared.etcd import Etcd
from link.shared.records import VERSION_KEY
from tests.link.asking import TENANT, answer_of, await_up
from tests.link.etcd_server import HOST, Line, etcd_server, line_to
from tests.link.processes import Stack
from tests.link.waiting import eventually
from tests.waiting import free_port


async def etcd_connected(http: aiohttp.ClientSession, router: str) -> bool:
    """Whether the router says that etcd answers."""
    async with http.get(f"{router}/state") as response:
        return bool((await response.json())["etcd"]["connected"])


async def start(etcd: Etcd, stack: Stack, http: aiohttp.ClientSession) -> str:
    """Start two targets of v1, two of v2 and a router, as the tenant acme finds them; return the router."""
    targets = [await stack.target(version) for version in ("v1", "v1", "v2", "v2")]
    await etcd.put(VERSION_KEY, '{"version":"v1"}')
    router = await stack.router()
    await await_up(http, router, targets)
    assert (await answer_of(http, router, "acme"))["version"] == "v1"
    return router


@pytest.mark.cloud
@pytest.mark.parametrize("how", [Line.cut, Line.silence])
async def test_a_switch_made_while_the_router_had_lost_etcd_is_seen_after(
    http: aiohttp.ClientSession, how: Callable[[Line], Awaitable[None]]
) -> None:
    """etcd itself runs on, and names the line as its address, so that only the line leads to it."""
    etcd_port, line_port = free_port(HOST), free_port(HOST)
    with etcd_server(etcd_port, advertised=f"http://{HOST}:{line_port}"):
        direct = Etcd([f"http://{HOST}:{etcd_port}"])
        async with line_to(etcd_port, line_port) as line, Stack.at(f"{HOST}:{line_port}") as stack:
            router = await start(direct, stack, http)
            await how(line)

            async def is_lost() -> bool:
                return not await etcd_connected(http, router)

            await eventually("the router notices that etcd is away", is_lost)
            direct_again = Etcd([f"http://{HOST}:{etcd_port}"])
            await direct_again.put(VERSION_KEY, '{"version":"v2"}')
            assert (await answer_of(http, router, "acme"))["version"] == "v1"
            async with http.get(f"{router}/health", headers={TENANT: "acme"}) as response:
                assert response.status == 200
            await line.open()

            async def is_v2() -> bool:
                async with http.get(router, headers={TENANT: "acme"}) as response:
                    return response.status == 200 and (await response.json())["properties"]["version"] == "v2"

            await eventually("requests reach v2", is_v2)
            await direct_again.close()
        await direct.close()


async def test_a_router_that_never_read_etcd_is_not_healthy(http: aiohttp.ClientSession) -> None:
    async with Stack.at(f"{HOST}:{free_port(HOST)}") as stack:
        router = await stack.router()
        async with http.get(f"{router}/health") as response:
            assert response.status == 503
            assert (await response.json())["etcd"]["connected"] is False
        async with http.get(router, headers={TENANT: "acme"}) as response:
            assert response.status == 503
