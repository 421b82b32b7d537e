"""The metrics collector, as a process beside a real etcd."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator

import pytest

from link.shared.etcd import Etcd
from link.shared.records import VERSION_KEY, Peer, Target
from tests.link.etcd_server import HOST, etcd_server, line_to
from tests.link.processes import service_process
from tests.link.statsd_agent import Agent, statsd_agent
from tests.link.test_allocation import CREATED
from tests.waiting import free_port

pytestmark = pytest.mark.cloud


@contextlib.asynccontextmanager
async def collector(etcd_port: int, **settings: str) -> AsyncIterator[tuple[Agent, asyncio.subprocess.Process]]:
    """A collector that looks ten times a second, and the agent that hears what it tells."""
    async with statsd_agent() as agent:
        variables = {"COREOS_PRIVATE_IPV4": HOST, "ETCD_PEER_HOSTS": f"{HOST}:{etcd_port}", "INTERVAL": "100"}
        variables |= {"STATSD_HOST": agent.address} | settings
        async with service_process("link.metrics_collector", variables) as process:
            yield agent, process


async def put_target(etcd: Etcd, authority: str, tenant: str | None = None, version: str = "v1") -> None:
    """Register a target."""
    target = Target(f"http://{authority}", CREATED, version, tenant)
    await etcd.put(target.key, target.to_json())


async def put_peer(etcd: Etcd, name: str, tenant: str, authority: str) -> None:
    """Record a connected hub."""
    peer = Peer(name, tenant, f"http://{authority}", CREATED)
    await etcd.put(peer.key, peer.to_json())


async def test_free_targets_those_of_each_tenant_and_the_peers_of_each_machine_are_told(
    etcd: Etcd, etcd_port: int
) -> None:
    await etcd.put(VERSION_KEY, '{"version":"v1"}')
    for port in (3001, 3002, 3003):
        await put_target(etcd, f"10.0.0.1:{port}")
    await put_target(etcd, "10.0.0.2:3001", tenant="acme")
    await put_target(etcd, "10.0.0.2:3002", tenant="acme")
    await put_target(etcd, "10.0.0.3:3001", tenant="acme", version="v0")
    await put_target(etcd, "10.0.0.3:3002", version="v0")
    for name, authority in (("one", "10.0.0.2:3001"), ("two", "10.0.0.2:3002"), ("three", "10.0.0.3:3001")):
        await put_peer(etcd, name, "acme", authority)
    await put_peer(etcd, "one", "other", "10.0.0.3:3001")
    async with collector(etcd_port) as (agent, process):
        await agent.told("link.peers.connected,targetHost=10.0.0.3,tenant=other")
        assert set(agent.lines) == {
            "link.targets.unallocated:3|g",
            "link.targets.allocated,tenant=acme:2|g",
            "link.peers.connected,targetHost=10.0.0.2,tenant=acme:2|g",
            "link.peers.connected,targetHost=10.0.0.3,tenant=acme:1|g",
            "link.peers.connected,targetHost=10.0.0.3,tenant=other:1|g",
        }
        agent.lines.clear()
        await put_target(etcd, "10.0.0.1:3003", tenant="new")
        await agent.told("link.targets.allocated,tenant=new:1|g")
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 5) == 0


async def test_while_there_is_no_live_version_nothing_is_told(etcd: Etcd, etcd_port: int) -> None:
    await put_target(etcd, "10.0.0.1:3001")
    async with collector(etcd_port) as (agent, process):
        assert "nothing is told: there is no live version yet" in await said_next(process)
        assert agent.lines == []
        await etcd.put(VERSION_KEY, '{"version":"v1"}')
        await agent.told("link.targets.unallocated:1|g")


async def test_while_etcd_is_away_nothing_is_told_and_then_everything_again() -> None:
    etcd_port, line_port = free_port(HOST), free_port(HOST)
    with etcd_server(etcd_port, advertised=f"http://{HOST}:{line_port}"):
        async with line_to(etcd_port, line_port) as line, collector(line_port) as (agent, process):
            direct = Etcd([f"http://{HOST}:{etcd_port}"])
            await direct.put(VERSION_KEY, '{"version":"v1"}')
            await direct.close()
            await agent.told("link.targets.unallocated:0|g")
            await line.cut()
            while "nothing is told: etcd does not answer" not in await said_next(process):
                pass
            agent.lines.clear()
            await line.open()
            assert "metrics are told again" in await said_next(process)
            await agent.told("link.targets.unallocated:0|g")


async def said_next(process: asyncio.subprocess.Process) -> str:
    """The next thing it says after that it has started."""
    assert process.stdout is not None
    while b'"started"' in (line := await asyncio.wait_for(process.stdout.readline(), 10)):
        pass
    assert line, "it ended"
    return line.decode()


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ({"INTERVAL": "often"}, "INTERVAL must be a number from 50 to 3.6e+06, not 'often'"),
        ({"STATSD_HOST": "localhost"}, "STATSD_HOST must be an IPv4 address:port, not 'localhost'"),
    ],
)
async def test_a_bad_setting_is_one_sentence(etcd_port: int, setting: dict[str, str], sentence: str) -> None:
    async with collector(etcd_port, **setting) as (_, process):
        assert process.stderr is not None
        said = await asyncio.wait_for(process.stderr.read(), 10)
        assert said.decode() == f"metrics-collector: environment variable {sentence}\n"
        assert await process.wait() == 2
