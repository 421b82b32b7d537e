"""What the metrics collector and the metrics agent cost: `python -m benchmarks.collector`.

A collector process beside a real etcd with 200 targets and 1,000 connected peers of 50 tenants, at its usual interval
of 10 s; an agent process that is told 1,000 metrics a second, as routers of 50 tenants tell them, and writes them into
a real InfluxDB every 10 s. Takes about two minutes and ends with 1 when one needs more than its bound.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from benchmarks.figures import Figure, show
from link.shared.etcd import Etcd
from link.shared.records import VERSION_KEY, Peer, Target
from link.shared.statsd import Statsd
from tests.link.aws_process import aws_process
from tests.link.etcd_server import HOST, etcd_server
from tests.link.influxdb_server import influxdb_server
from tests.link.metrics_agents import MetricsAgent, keep_secret, metrics_agent
from tests.link.processes import service_process
from tests.link.statsd_agent import statsd_agent
from tests.waiting import free_port

TARGETS, PEERS, TENANTS = 200, 1_000, 50
DATAGRAMS = 1_000
"""A second."""
SECONDS = 60
PERCENT_OF_A_CORE = {"collector": 1, "agent": 10}
CREATED = "2026-01-01T00:00:00.000Z"


def authority(number: int) -> str:
    """The address of the target of that number, ten to a machine."""
    return f"10.0.0.{1 + number // 10}:{3001 + number % 10}"


async def fill(etcd: Etcd) -> None:
    """Write the records of all targets and peers."""
    await etcd.put(VERSION_KEY, '{"version":"v1"}')
    for number in range(TARGETS):
        tenant = f"tenant-{number % TENANTS}" if number < TARGETS / 2 else None
        target = Target(f"http://{authority(number)}", CREATED, "v1", tenant)
        await etcd.put(target.key, target.to_json())
    for number in range(PEERS):
        peer = Peer(f"hub-{number}", f"tenant-{number % TENANTS}", f"http://{authority(number % TENANTS)}", CREATED)
        await etcd.put(peer.key, peer.to_json())


def cpu_seconds(pid: int) -> float:
    """The processor time that the process has had. https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html"""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def measure_collector() -> Figure:
    """The processor time of a minute, once the collector has told everything for the first time."""
    port = free_port(HOST)
    with etcd_server(port):
        etcd = Etcd([f"http://{HOST}:{port}"])
        await fill(etcd)
        await etcd.close()
        async with statsd_agent() as agent:
            variables = {"COREOS_PRIVATE_IPV4": HOST, "ETCD_PEER_HOSTS": f"{HOST}:{port}", "STATSD_HOST": agent.address}
            async with service_process("link.metrics_collector", variables) as process:
                await agent.told("link.peers.connected")
                told, before = len(agent.lines), cpu_seconds(process.pid)
                await asyncio.sleep(SECONDS)
                percent = 100 * (cpu_seconds(process.pid) - before) / SECONDS
                assert len(agent.lines) > told, "it has told nothing since"
    what = f"metrics collector, {TARGETS} targets, {PEERS:,} peers"
    return Figure(what, percent, "% of a core", bound=PERCENT_OF_A_CORE["collector"])


async def measure_agent() -> list[Figure]:
    """The processor time of a minute of datagrams, the memory after it, and how many of them are not in InfluxDB."""
    with aws_process() as aws, influxdb_server() as influxdb, tempfile.TemporaryDirectory() as folder:
        keep_secret(aws.client("secretsmanager"), influxdb.url)
        async with metrics_agent(aws, Path(folder), INTERVAL="10") as agent:
            before = cpu_seconds(agent.process.pid)
            await load(agent)
            percent = 100 * (cpu_seconds(agent.process.pid) - before) / SECONDS
            resident = psutil.Process(agent.process.pid).memory_info().rss / 2**20
            agent.process.terminate()
            await agent.process.wait()
        ((_, written),) = influxdb.ask("SELECT sum(count) FROM http_req_proxy", "telegraf")
    what = f"metrics agent, {DATAGRAMS:,} datagrams/s"
    return [
        Figure(what, percent, "% of a core", bound=PERCENT_OF_A_CORE["agent"]),
        Figure(f"{what}: memory", resident, "MiB"),
        Figure(f"{what}: datagrams lost", DATAGRAMS * SECONDS - written, f"of {DATAGRAMS * SECONDS:,}", bound=0),
    ]


async def load(agent: MetricsAgent) -> None:
    """Tell the agent of a request, evenly, so many times a second."""
    statsd = Statsd(agent.listens, routerHost=agent.listens[0])
    start = time.monotonic()
    for number in range(DATAGRAMS * SECONDS):
        statsd.timing("http.req.proxy", 0.001 * (number % 100), tenant=f"tenant-{number % TENANTS}")
        await asyncio.sleep(max(0.0, start + number / DATAGRAMS - time.monotonic()))
    statsd.close()


async def measure() -> Sequence[Figure]:
    """Both."""
    return [await measure_collector(), *await measure_agent()]


def main(_arguments: Sequence[str] = ()) -> int:
    """Measure, print a table, and return 1 when a figure is over its bound."""
    return show(asyncio.run(measure()))


if __name__ == "__main__":
    sys.exit(main())
