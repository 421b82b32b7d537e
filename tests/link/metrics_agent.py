"""Between the services and InfluxDB in the tests: what Telegraf's statsd input is on a machine, without its sums.

Telegraf itself is neither in Debian nor on PyPI. Each metric is written as one point, under the name and with the tags
that Telegraf gives it; sums over the points are the same.
https://github.com/influxdata/telegraf/blob/master/plugins/inputs/statsd/README.md#measurements
"""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import AsyncIterator, Sequence

from tests.link.influxdb_server import InfluxServer
from tests.link.statsd_agent import Agent, statsd_agent

TYPES = {"c": "counter", "g": "gauge", "ms": "timing"}
FIELDS = {"c": "value", "g": "value", "ms": "mean"}


def points(lines: Sequence[str], stack: str, nanoseconds: int) -> list[str]:
    """Statsd lines as line protocol, a nanosecond apart: two points of one series must not share a time."""
    written = []
    for line, at in zip(lines, itertools.count(nanoseconds), strict=False):
        key, _, rest = line.partition(":")
        value, _, kind = rest.partition("|")
        name, *tags = key.split(",")
        series = ",".join([name.replace(".", "_"), *tags, f"metric_type={TYPES[kind]}", f"link_stack={stack}"])
        written.append(f"{series} {FIELDS[kind]}={value} {at}")
    return written


class MetricsAgent:
    """Keeps what it is told until it is flushed into the database `telegraf`."""

    def __init__(self, agent: Agent, server: InfluxServer, stack: str) -> None:
        self.address = agent.address
        self.told = agent.told
        self._agent = agent
        self._server = server
        self._stack = stack

    def flush(self) -> None:
        """Write everything, as the user who may only write."""
        lines, self._agent.lines = self._agent.lines, []
        self._server.write("telegraf", points(lines, self._stack, time.time_ns()))


@contextlib.asynccontextmanager
async def metrics_agent(server: InfluxServer, stack: str) -> AsyncIterator[MetricsAgent]:
    """An agent on a port of its own that writes into the server."""
    async with statsd_agent() as agent:
        yield MetricsAgent(agent, server, stack)
