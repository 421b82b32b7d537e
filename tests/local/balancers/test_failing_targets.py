"""What clients get when targets fail."""

from __future__ import annotations

import asyncio

from aiohttp import ClientSession

from tests.local.balancers.proxies import ADDRESS, ToldProxy, group, next_address, soon, status
from tests.local.balancers.targets import TargetServer, serving, target_process
from tests.waiting import free_port


async def test_no_target_and_no_weight_are_answered_with_503(proxy: ToldProxy, client: ClientSession) -> None:
    proxy.tell(group())
    assert await status(client) == 503
    proxy.tell(group(), weights=(0,))
    assert await status(client) == 503


async def test_a_refused_connection_goes_to_another_target_and_to_502_without_one(
    proxy: ToldProxy, blue: TargetServer, client: ClientSession
) -> None:
    gone = TargetServer("gone")
    gone.address = next_address()
    gone.port = free_port(gone.address)
    proxy.tell(group(blue, gone, interval=60))
    answers = [await status(client, "/echo", "POST") for _ in range(6)]
    assert answers == [200] * 6
    proxy.tell(group(gone, interval=60))
    assert await status(client) == 502
    assert "cannot connect" in proxy.log.read_text()


async def test_a_target_that_closes_the_connection_or_is_too_slow_is_502_or_504(
    proxy: ToldProxy, blue: TargetServer, client: ClientSession
) -> None:
    proxy.tell(group(blue), idle_timeout=0.3)
    assert await status(client, "/broken") == 502
    assert await status(client, "/held") == 504


async def test_a_target_that_was_restarted_costs_no_request(proxy: ToldProxy, client: ClientSession) -> None:
    address = next_address()
    port = free_port(address)
    for _ in range(2):
        async with serving("again", address, port) as target:
            proxy.tell(group(target))
            answers = await asyncio.gather(*(status(client) for _ in range(20)))
            assert answers == [200] * 20


async def test_a_target_that_is_killed_under_load_costs_no_request(proxy: ToldProxy, client: ClientSession) -> None:
    doomed, other = TargetServer("doomed"), TargetServer("other")
    for target in (doomed, other):
        target.address, target.port = next_address(), 8080
    with (
        target_process("doomed", doomed.address, 8080) as process,
        target_process("other", other.address, 8080),
    ):
        proxy.tell(group(doomed, other, interval=60))
        await proxy.healthy(doomed, other)
        answered: list[int] = []

        async def load() -> None:
            for _ in range(100):
                answered.append(await status(client))

        loads = [asyncio.create_task(load()) for _ in range(8)]
        await soon(lambda: len(answered), lambda count: count > 100)
        process.kill()
        await asyncio.gather(*loads)
        assert answered == [200] * 800


async def test_a_bad_request_is_answered_with_400(proxy: ToldProxy, blue: TargetServer) -> None:
    proxy.tell(group(blue))
    reader, writer = await asyncio.open_connection(ADDRESS, proxy.port)
    writer.write(b"not http at all\r\n\r\n")
    assert (await reader.readline()).split()[1] == b"400"
    writer.close()
