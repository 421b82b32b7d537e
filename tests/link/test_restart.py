"""A target that is told to restart: its clients lose nothing that they can notice."""

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import WSMsgType

from link.shared.etcd import Etcd
from link.shared.records import TARGETS, Target
from tests.link.asking import TENANT, answer_of
from tests.link.etcd_server import HOST
from tests.link.processes import Stack, kept_running, service_variables
from tests.link.test_router_process import refuses
from tests.link.waiting import eventually

pytestmark = pytest.mark.cloud

ACME = {TENANT: "acme"}


@contextlib.asynccontextmanager
async def supervised_targets(etcd: Etcd, etcd_port: int, number: int) -> AsyncIterator[list[str]]:
    """Run targets, each a process that is started again when it ends; give their URLs once all are registered."""
    async with contextlib.AsyncExitStack() as running:
        urls = []
        for _ in range(number):
            variables = service_variables(f"{HOST}:{etcd_port}", "MAPPED_PORT", "127.42.4.1") | {"VERSION": "v1"}
            await running.enter_async_context(kept_running("link.target", variables))
            urls.append(f"http://127.42.4.1:{variables['MAPPED_PORT']}")

        async def all_registered() -> bool:
            return len((await etcd.read(TARGETS)).records) == number

        await eventually("all targets are registered", all_registered, timeout=20)
        yield urls


async def targets_of(etcd: Etcd, tenant: str) -> list[str]:
    """The URLs of the tenant's targets."""
    records = (await etcd.read(TARGETS)).records.values()
    found = [Target.from_json(record.value) for record in records]
    return [target.url for target in found if target and target.tenant == tenant]


async def restart(http: aiohttp.ClientSession, target: str) -> None:
    """Tell the target to restart."""
    async with http.delete(f"{target}/restart") as response:
        assert response.status == 204


async def test_a_hub_and_a_listener_are_told_and_are_served_again_at_once(
    stack: Stack, etcd: Etcd, etcd_port: int, http: aiohttp.ClientSession
) -> None:
    """Both targets of the tenant restart together."""
    router = await stack.router()
    async with supervised_targets(etcd, etcd_port, 4):

        async def has_two() -> bool:
            with contextlib.suppress(AssertionError):
                await answer_of(http, router, "acme")
            return len(await targets_of(etcd, "acme")) == 2

        await eventually("acme has two targets", has_two)
        before = await targets_of(etcd, "acme")
        paths = ("/events", "/events", "/peers/hub1", "/peers/hub2")
        sockets = [await http.ws_connect(router + path, headers=ACME) for path in paths]
        restarting = asyncio.gather(*(restart(http, target) for target in before))
        for path, socket in zip(paths, sockets, strict=True):
            async with asyncio.timeout(5):
                async for _ in socket:
                    pass
            assert socket.close_code == 1001
            async with http.ws_connect(router + path, headers=ACME) as again:
                if path == "/events":
                    assert (await again.receive(timeout=3)).type is WSMsgType.TEXT
                else:
                    await again.send_str("hello")
        await restarting
        assert not set(await targets_of(etcd, "acme")) & set(before)


async def test_a_request_in_flight_is_finished_before_a_target_restarts(
    etcd: Etcd, etcd_port: int, http: aiohttp.ClientSession
) -> None:
    go_on = asyncio.Event()

    async def form() -> AsyncIterator[bytes]:
        yield b"action=turn"
        await go_on.wait()
        yield b"-off"

    async with supervised_targets(etcd, etcd_port, 1) as (target,):

        async def turn_off() -> tuple[int, str]:
            url = f"{target}/servers/cloud-{target.rpartition(':')[2]}/devices/light-1"
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            async with http.post(url, data=form(), headers=headers) as response:
                return response.status, (await response.json())["properties"]["state"]

        request = asyncio.create_task(turn_off())
        await restart(http, target)
        await eventually("the target accepts nothing new", functools.partial(refuses, target))
        go_on.set()
        assert await request == (200, "off")
