"""The metrics agent as a process, between real services' datagrams, Secrets Manager (moto) and a real InfluxDB."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.link.aws_server import Aws
from tests.link.influxdb_server import InfluxServer
from tests.link.metrics_agents import MetricsAgent, await_total, keep_secret, metrics_agent, variables
from tests.link.processes import service_process
from tests.link.waiting import eventually

pytestmark = pytest.mark.influxdb

STACKS = (f"agents{number}" for number in itertools.count())


@pytest.fixture
def stack() -> str:
    """A stack whose points are no other test's."""
    return next(STACKS)


@pytest.fixture
async def agent(data_aws: Aws, influxdb: InfluxServer, stack: str, tmp_path: Path) -> AsyncIterator[MetricsAgent]:
    """An agent of a stack that has its secret."""
    keep_secret(data_aws.client("secretsmanager"), influxdb.url, f"tyrell/{stack}/metrics")
    async with metrics_agent(data_aws, tmp_path, stack) as running:
        yield running


async def test_what_services_tell_is_written_with_the_tags_of_their_machine(
    agent: MetricsAgent, influxdb: InfluxServer, stack: str
) -> None:
    agent.tell("agent.requests,tenant=acme:2|c\nagent.requests,tenant=acme:3|c\nagent.load:7|g")
    agent.tell("agent.time,tenant=acme:320|ms:200|ms")
    await await_total(influxdb, "agent_requests", stack, 5)
    address = agent.address.partition(":")[0]
    machine = (f"{stack}-router-v1-{address}", stack, "router", "v1")
    tags = "link_instance_name, link_stack, link_type, link_version, metric_type, tenant"
    wanted = {"agent_requests": ("counter", "acme"), "agent_load": ("gauge", ""), "agent_time": ("timing", "acme")}
    for name, own in wanted.items():
        (row,) = influxdb.ask(f"SELECT * FROM {name} WHERE link_stack = '{stack}' GROUP BY {tags}", "telegraf")
        assert tuple(row[:6]) == (*machine, *own)
    ((_, *timing),) = influxdb.ask(
        f"SELECT count, lower, upper, mean, \"90_percentile\" FROM agent_time WHERE link_stack = '{stack}'", "telegraf"
    )
    assert timing == [2, 200, 320, 260, 320]


async def test_the_machines_own_figures_have_telegrafs_names(
    agent: MetricsAgent, influxdb: InfluxServer, stack: str
) -> None:
    figures = {
        "cpu": ("mean(usage_idle)", "cpu = 'cpu-total'"),
        "mem": ("mean(available_percent)", "host =~ /./"),
        "disk": ("mean(used_percent)", "path = '/'"),
        "system": ("mean(n_cpus)", "host =~ /./"),
    }

    async def told() -> dict[str, float]:
        asked = (
            influxdb.ask(f"SELECT {what} FROM {name} WHERE {which} AND link_stack = '{stack}'", "telegraf")
            for name, (what, which) in figures.items()
        )
        return {name: rows[0][-1] for name, rows in zip(figures, asked, strict=True) if rows}

    async def all_told() -> bool:
        return (await told()).keys() == figures.keys()

    await eventually("all figures", all_told)
    found = await told()
    assert found["system"] >= 1
    assert all(0 <= found[percent] <= 100 for percent in ("cpu", "mem", "disk"))


async def test_what_is_told_before_the_stack_has_a_secret_is_written_later_with_its_own_times(
    data_aws: Aws, influxdb: InfluxServer, stack: str, tmp_path: Path
) -> None:
    async with metrics_agent(data_aws, tmp_path, stack) as agent:
        agent.tell("agent.early:1|c")
        await agent.says(f"points wait: there is no secret tyrell/{stack}/metrics")
        known = datetime.now(UTC)
        keep_secret(data_aws.client("secretsmanager"), influxdb.url, f"tyrell/{stack}/metrics")
        await agent.says("points are written again")
        await await_total(influxdb, "agent_early", stack, 1)
    ((written, _),) = influxdb.ask(f"SELECT value FROM agent_early WHERE link_stack = '{stack}'", "telegraf")
    assert datetime.fromisoformat(written) <= known


async def test_a_line_that_is_no_metric_is_told_once_and_disturbs_no_other(
    agent: MetricsAgent, influxdb: InfluxServer, stack: str
) -> None:
    for datagram in (b"\xff\xfe", b"agent.good:1|c\nnonsense\nagent.good:1|c", b"\0" * 60_000, b"", b"agent.good:x|c"):
        agent.tell(datagram)
    await await_total(influxdb, "agent_good", stack, 2)
    assert len([said for said in agent.said if said.startswith("a line is no metric of statsd")]) == 1


async def test_what_is_not_yet_written_is_written_before_it_ends(
    data_aws: Aws, influxdb: InfluxServer, stack: str, tmp_path: Path
) -> None:
    keep_secret(data_aws.client("secretsmanager"), influxdb.url, f"tyrell/{stack}/metrics")
    async with metrics_agent(data_aws, tmp_path, stack, INTERVAL="3600") as agent:
        agent.tell("agent.last:4|c")
        agent.process.terminate()
        assert await agent.process.wait() == 0
    await await_total(influxdb, "agent_last", stack, 4)


async def test_an_address_that_is_taken_is_one_sentence(agent: MetricsAgent, data_aws: Aws) -> None:
    async with service_process("link.metrics_agent", variables(data_aws, "lab", agent.address)) as process:
        _, said = await process.communicate()
    assert process.returncode == 1
    assert said == f"metrics-agent: can not listen on {agent.address}: Address already in use\n".encode()
