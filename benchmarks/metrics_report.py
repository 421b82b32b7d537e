"""How long the pictures of `tyrell metrics report` take: `python -m benchmarks.metrics_report`.

A real InfluxDB with a day of what a stack of 3 routers and 6 target machines with 3 tenants tells, every 10 seconds.
Takes about a minute and ends with 1 when all dashboards need more than 5 s.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice

from pydantic import SecretStr

from benchmarks.figures import Figure, show
from tasks.influxdb import InfluxAccess, write
from tasks.monitoring.dashboards import Window
from tasks.monitoring.reports import draw_dashboards
from tests.link.influxdb_server import ADMIN, influxdb_server

STACK, DAY, EVERY = "demo", 86400, 10
ROUTERS, TARGETS, TENANTS = 3, 6, 3
AT_ONCE = 20_000
MOST_SECONDS = 5


def tags(role: str, number: int, version: str = "v1") -> str:
    """The tags of all that a machine tells."""
    name = f"{STACK}-{role}-{version}-10.0.0.{number}"
    return f"link_stack={STACK},link_type={role},link_version={version},link_instance_name={name}"


def machine(of: str, load: float, at: int) -> Iterator[str]:
    """What a machine does."""
    yield f"cpu,cpu=cpu-total,{of} usage_idle={95 - 40 * load}"
    yield f"mem,{of} used_percent={40 + 5 * load}"
    yield f"disk,path=/,{of} used_percent={20 + at / DAY}"
    yield f"net,interface=eth0,{of} bytes_recv={at * 2000}i,bytes_sent={at * 9000}i"


def router(of: str, load: float) -> Iterator[str]:
    """What a router tells."""
    for tenant in range(TENANTS):
        whose = f"tenant=t{tenant},routerHost=10.0.0.1,{of}"
        for metric, count in (("root_status_2xx", 3), ("proxy_status_2xx", 40), ("proxy_status_5xx", 1)):
            yield f"http_req_{metric},{whose},metric_type=counter value={round(count * load)}i"
        yield f"http_req_proxy,{whose},metric_type=timing 90_percentile={5 + 20 * load}"
        yield f"ws_peers,{whose},metric_type=gauge value={100 * (tenant + 1)}"
        yield f"ws_event,{whose},metric_type=gauge value={tenant}"


def target(of: str, load: float) -> Iterator[str]:
    """What a machine of targets tells."""
    for tenant in range(TENANTS):
        whose = f"tenantId=t{tenant},targetName=hub,{of},metric_type=counter"
        for metric, count in (("messages_count", 20), ("messages_bytes", 2000), ("http_count", 3)):
            yield f"linkusage_hub_{metric},{whose} value={round(count * load)}i"


def moment(at: int) -> Iterator[str]:
    """What all machines tell at a second of the day."""
    load = 1 + math.sin(at / DAY * 2 * math.pi)
    for number in range(ROUTERS + TARGETS):
        of = tags("router" if number < ROUTERS else "target", number)
        yield from machine(of, load, at)
        yield from router(of, load) if number < ROUTERS else target(of, load)
    collector = tags("tenant-mgmt-api", 20) + ",metric_type=gauge"
    yield f"link_targets_unallocated,{collector} value=20"
    for tenant in range(TENANTS):
        yield f"link_targets_allocated,tenant=t{tenant},{collector} value=2"
        yield f"link_peers_connected,tenant=t{tenant},targetHost=10.0.0.5,{collector} value=30"
    if at % 21600 == 0:
        yield f'deployments,link_stack={STACK},role=router,version=v{at // 21600},kind=switch text="x",percent=100i'


def fill(access: InfluxAccess, start: int) -> int:
    """Write a day; return the number of points."""
    points = (f"{line} {(start + at) * 10**9}" for at in range(0, DAY, EVERY) for line in moment(at))
    written = 0
    while some := list(islice(points, AT_ONCE)):
        write(access, "telegraf", some)
        written += len(some)
    return written


def main(_arguments: Sequence[str] = ()) -> int:
    """Measure, print a table, and return 1 when the figure is over its bound."""
    with influxdb_server() as server:
        access = InfluxAccess(url=server.url, username=ADMIN[0], password=SecretStr(ADMIN[1]))
        end = datetime.now(UTC)
        points = fill(access, int(end.timestamp()) - DAY)
        began, worked = time.monotonic(), time.process_time()
        pictures = draw_dashboards(access, STACK, Window(end - timedelta(seconds=DAY), end))
        seconds, work = time.monotonic() - began, time.process_time() - worked
    what = f"pictures of {len(pictures)} dashboards, a day with {points:,} points"
    of_that = Figure("its own processor time, whatever else the machine does", work, "s")
    return show([Figure(what, seconds, "s", bound=MOST_SECONDS), of_that])


if __name__ == "__main__":
    sys.exit(main())
