"""Deregistration as a real proxy process does it."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from aiohttp import ClientSession

from tests.local.balancers.proxies import ToldProxy, group, name, soon
from tests.local.balancers.targets import TargetServer


async def test_a_draining_target_finishes_its_requests_and_gets_no_new_one(
    proxy: ToldProxy, blue: TargetServer, client: ClientSession
) -> None:
    proxy.tell(group(blue))
    held = asyncio.create_task(name(client, "/held"))
    await blue.started.wait()
    proxy.tell(group(blue, draining=True))
    assert (proxy.target(blue).state, proxy.target(blue).in_flight) == ("draining", 1)
    async with client.get("/") as answer:
        assert answer.status == 503
    blue.finish.set()
    assert await held == "blue"
    await soon(lambda: proxy.target(blue).state, lambda state: state == "drained")


async def test_requests_that_outlast_the_deregistration_delay_are_cut(
    proxy: ToldProxy, blue: TargetServer, client: ClientSession
) -> None:
    proxy.tell(group(blue))
    held = asyncio.create_task(client.post("/held"))
    await blue.started.wait()
    proxy.tell(group(blue, draining=True, deregistration_delay=0.2))
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await held
    assert proxy.target(blue).state == "drained"


async def test_a_target_that_is_registered_again_while_draining_gets_requests_again(
    proxy: ToldProxy, blue: TargetServer, client: ClientSession
) -> None:
    proxy.tell(group(blue))
    held = asyncio.create_task(name(client, "/held"))
    await blue.started.wait()
    proxy.tell(group(blue, draining=True, deregistration_delay=0.3))
    proxy.tell(group(blue))
    await proxy.healthy(blue)
    assert await name(client, "/") == "blue"
    blue.finish.set()
    assert await held == "blue"
