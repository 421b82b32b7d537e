"""What the metrics agent does when InfluxDB does not answer, or does not take what it is given."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.link.aws_proxy import Call, Lost, Proxy
from tests.link.aws_server import Aws
from tests.link.influxdb_server import WRITER, InfluxServer
from tests.link.metrics_agents import MetricsAgent, await_total, keep_secret, metrics_agent

pytestmark = pytest.mark.influxdb


@pytest.fixture
def way(influxdb: InfluxServer) -> Iterator[Proxy]:
    """The way to InfluxDB, which can be disturbed."""
    with Proxy.to(influxdb.url) as running:
        yield running


@pytest.fixture
async def agent(aws: Aws, way: Proxy, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[MetricsAgent]:
    """The agent of a stack that is named after the test."""
    stack = request.node.name
    keep_secret(aws.client("secretsmanager"), way.url, f"tyrell/{stack}/metrics")
    async with metrics_agent(aws, tmp_path, stack) as running:
        yield running


def lose(_call: Call) -> None:
    raise Lost


async def test_what_an_outage_holds_up_is_written_later_and_nothing_twice(
    agent: MetricsAgent, way: Proxy, influxdb: InfluxServer, request: pytest.FixtureRequest
) -> None:
    agent.tell("outage:1|c")
    await await_total(influxdb, "outage", request.node.name, 1)
    way.before = lose
    agent.tell("outage:10|c")
    await agent.says(f"points wait: InfluxDB at {way.url} does not answer: ")
    agent.tell("outage:100|c")
    way.before, way.after = lambda _: None, lose  # they are written, and nobody hears of it
    await await_total(influxdb, "outage", request.node.name, 111)
    way.after = lambda _: None
    await agent.says("points are written again")
    await await_total(influxdb, "outage", request.node.name, 111)
    assert len([said for said in agent.said if said.startswith("points wait")]) == 1


async def test_a_write_that_hangs_holds_up_no_counting(
    agent: MetricsAgent, way: Proxy, influxdb: InfluxServer, request: pytest.FixtureRequest
) -> None:
    hangs, go_on = threading.Event(), threading.Event()

    def hang(_call: Call) -> None:
        hangs.set()
        go_on.wait(10)

    way.before = hang
    await asyncio.to_thread(hangs.wait, 10)
    for _ in range(100):  # more than a socket holds for who does not listen
        for _ in range(20):
            agent.tell("hanging:1|c")
        await asyncio.sleep(0.005)
    go_on.set()
    await await_total(influxdb, "hanging", request.node.name, 2000)


async def test_a_wrong_password_is_told_once_and_the_right_one_is_used_at_once(
    agent: MetricsAgent, aws: Aws, way: Proxy, influxdb: InfluxServer, request: pytest.FixtureRequest
) -> None:
    secret = f"tyrell/{request.node.name}/metrics"
    influxdb.ask(f"SET PASSWORD FOR {WRITER[0]} = 'another'")
    try:
        agent.tell("changed:5|c")
        await agent.says(f"points wait: InfluxDB at {way.url} answers 401: authorization failed")
        keep_secret(aws.client("secretsmanager"), way.url, secret, (WRITER[0], "another"))
        await await_total(influxdb, "changed", request.node.name, 5)
    finally:
        influxdb.ask(f"SET PASSWORD FOR {WRITER[0]} = '{WRITER[1]}'")
    assert len([said for said in agent.said if said.startswith("points wait")]) == 1


async def test_points_that_influxdb_will_never_take_are_told_and_stop_no_others(
    agent: MetricsAgent, influxdb: InfluxServer, request: pytest.FixtureRequest
) -> None:
    influxdb.write("telegraf", ['never value="a text"'])
    agent.tell("never:1|c\nothers:1|c")
    assert "field type conflict" in await agent.says("points are lost: InfluxDB at ")
    agent.tell("others:1|c")
    await await_total(influxdb, "others", request.node.name, 2)


async def test_an_answer_that_is_no_influxdbs_is_none(
    aws: Aws, influxdb: InfluxServer, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Moto answers nearly everything with 200."""
    secret = f"tyrell/{request.node.name}/metrics"
    keep_secret(aws.client("secretsmanager"), aws.url, secret)
    async with metrics_agent(aws, tmp_path, request.node.name) as agent:
        agent.tell("kept:1|c")
        await agent.says(f"points wait: InfluxDB at {aws.url} answers ")
