"""core-services gets a new version: the members of its group take over from those of the old one, one by one."""

import asyncio
import contextlib
import itertools
import time
from pathlib import Path

import aiohttp
import pytest

from link.shared.etcd import Etcd
from link.shared.records import VERSION_KEY
from tests.link.aws_server import Aws, MachineGroup
from tests.link.etcd_nodes import FIRST, Nodes, first_cluster
from tests.link.etcd_server import HOST
from tests.link.processes import service_process, service_variables
from tests.link.waiting import eventually
from tests.waiting import free_port

pytestmark = pytest.mark.cloud

NEW = ["127.42.9.21", "127.42.9.22", "127.42.9.23"]


async def next_second() -> None:
    """Wait until AWS, which counts whole seconds, would call a machine younger than those there are."""
    before = int(time.time())

    async def is_over() -> bool:
        return int(time.time()) > before

    await eventually("the next second", is_over)


async def test_another_versions_machines_take_over_data_leases_and_clients_without_a_failed_write(
    aws: Aws, tmp_path: Path
) -> None:
    written: list[float] = []

    async def keep_writing(client: Etcd) -> None:
        while True:
            await client.put("/often", "x")
            written.append(time.monotonic())
            await asyncio.sleep(0.02)

    async with first_cluster(aws, tmp_path) as (nodes, client, running):
        lease = await client.grant(120)
        await client.put("/kept", "value", lease)
        writer = nodes.client(*FIRST)
        running.push_async_callback(writer.close)
        writing = asyncio.create_task(keep_writing(writer))
        new_group = nodes.new_group("two")
        members = set(FIRST)
        for old, new in zip(FIRST, NEW, strict=True):
            new_group.add(new)
            await running.enter_async_context(nodes.node(new))
            await nodes.await_members(client, members | {new})
            nodes.group.remove(old)
            assert await nodes.stop(old) == 0
            members = members - {old} | {new}
            assert await client.members() == {f"http://{address}:{nodes.port}" for address in members}
        assert not writing.done(), writing.result()
        writing.cancel()
        kept = await client.get("/kept")
        assert kept is not None
        assert (kept.value, kept.lease) == ("value", lease)
        assert await client.keep_alive(lease)
        assert set(client.endpoints) > {f"http://{address}:{nodes.port}" for address in NEW}
        assert max(after - before for before, after in itertools.pairwise(written)) < 5


async def test_a_member_that_is_only_restarted_keeps_its_place_and_its_data(aws: Aws, tmp_path: Path) -> None:
    async with first_cluster(aws, tmp_path) as (nodes, client, running):
        for address in FIRST:
            assert await nodes.stop(address) == 0
            await nodes.await_members(client, set(FIRST))
            await client.put(f"/while/{address}", "away")
            await running.enter_async_context(nodes.node(address))
            await nodes.await_members(client, set(FIRST))
        assert "member added" not in "".join(nodes.said(address) for address in FIRST)
        assert len((await client.read("/while/")).records) == 3


async def test_machines_that_are_all_terminated_stop_without_waiting_for_each_other(aws: Aws, tmp_path: Path) -> None:
    async with first_cluster(aws, tmp_path) as (nodes, _client, _running):
        for address in FIRST:
            nodes.group.remove(address)
        started = time.monotonic()
        assert await asyncio.gather(*(nodes.stop(address) for address in FIRST)) == [0, 0, 0]
        assert time.monotonic() - started < 10


async def test_a_new_group_waits_for_the_old_ones_cluster_instead_of_forming_its_own(aws: Aws, tmp_path: Path) -> None:
    nodes = Nodes(aws, tmp_path)
    nodes.group.add(FIRST[0])
    new_group = nodes.new_group("two")
    await next_second()
    new_group.add(NEW[0])
    async with contextlib.AsyncExitStack() as running:
        await running.enter_async_context(nodes.node(NEW[0]))

        async def waits() -> bool:
            return "the older machine 127.42.9.11 of group core-one is no member that answers" in nodes.said(NEW[0])

        await eventually("the new machine waits for the old one", waits)
        await running.enter_async_context(nodes.node(FIRST[0]))
        client = nodes.client(FIRST[0])
        running.push_async_callback(client.close)
        await nodes.await_members(client, {FIRST[0], NEW[0]})
        assert "member added" in nodes.said(NEW[0])


async def test_a_service_that_starts_after_every_member_was_replaced_finds_the_machines_of_now(
    aws: Aws, etcd: Etcd, etcd_port: int, http: aiohttp.ClientSession
) -> None:
    await etcd.put(VERSION_KEY, '{"version":"v1"}')
    tags = {"tyrell:stack": "lab", "tyrell:role": "core-services"}
    MachineGroup(aws, "core", f"{HOST.rpartition('.')[0]}.0/24", tags).add(HOST)
    gone = f"127.42.9.99:{free_port('127.42.9.99')}"
    variables = aws.variables | service_variables(gone, "PORT", "127.42.3.2")
    variables |= {"ZETTA_STACK": "lab", "ETCD_CLIENT_PORT": str(etcd_port)}
    async with service_process("link.router", variables):

        async def is_healthy() -> bool:
            with contextlib.suppress(aiohttp.ClientConnectorError):
                async with http.get(f"http://127.42.3.2:{variables['PORT']}/health") as response:
                    return response.status == 200
            return False

        await eventually("the router has read etcd", is_healthy)
