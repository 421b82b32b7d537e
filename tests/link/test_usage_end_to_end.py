"""From what hubs and clients do to what the usage API tells: services, statsd, InfluxDB, its continuous queries."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest

from tests.link.asking import TENANT, await_up
from tests.link.aws_server import Aws
from tests.link.influxdb_server import InfluxServer
from tests.link.metrics_agents import await_total, keep_secret, metrics_agent
from tests.link.processes import Stack
from tests.link.usage_apis import started
from tests.link.waiting import eventually

pytestmark = [pytest.mark.influxdb, pytest.mark.cloud]

ACME = {TENANT: "acme"}
NAMES = ("httpCount", "messagesBytes", "messagesCount")
SUMS = ("hub_http_count", "hub_messages_bytes", "hub_messages_count")


def add_up(server: InfluxServer) -> None:
    """Let InfluxDB add up the usage of each day; again every second, where a metrics host takes its time."""
    for name in SUMS:
        server.ask(
            f'CREATE CONTINUOUS QUERY "cq.linkusage.{name}.sum" ON telegraf RESAMPLE EVERY 1s FOR 2d BEGIN '
            f'SELECT sum(value) AS total INTO linkusage."default"."{name}" FROM "linkusage_{name}" '
            'GROUP BY "link_stack", "tenantId", "targetName", time(1d) fill(0) END'
        )


async def use(http: aiohttp.ClientSession, router: str, server: str) -> None:
    """Connect a hub that sends five messages of ten bytes, and ask for a target's server three times."""
    async with http.ws_connect(f"{router}/peers/hub1", headers=ACME) as hub:
        for _ in range(5):
            await hub.send_str("ten bytes.")
        for _ in range(3):
            async with http.get(f"{router}/servers/{server}", headers=ACME) as response:
                assert response.status == 200


async def test_what_a_tenants_hub_sends_and_is_asked_is_what_the_usage_api_tells(
    own_influxdb: InfluxServer, aws: Aws, stack: Stack, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    add_up(own_influxdb)
    keep_secret(aws.client("secretsmanager"), own_influxdb.url)
    async with metrics_agent(aws, tmp_path) as agent:
        target = await stack.target(STATSD_HOST=agent.address)
        router = await stack.router(STATSD_HOST=agent.address)
        await await_up(http, router, [target])
        server = f"cloud-{target.rpartition(':')[2]}"
        await use(http, router, server)
        await await_total(own_influxdb, "link_targets_hub_end", "lab", 1)

    async def told() -> dict[str, dict[str, int]]:
        """What the API tells of the last two days: it may be midnight now."""
        days = f"startDate={datetime.now(UTC) - timedelta(days=1):%Y-%m-%d}&endDate={datetime.now(UTC):%Y-%m-%d}"
        async with http.get(f"{api}/tenants/acme?{days}") as response:
            items = [item["properties"] for item in (await response.json())["entities"]]
        return {item["hubId"]: {name: sum(day[name] for day in item["data"]) for name in NAMES} for item in items}

    wanted = {
        "hub1": dict(zip(NAMES, (0, 50, 5), strict=True)),
        server: dict(zip(NAMES, (3, 0, 0), strict=True)),
    }

    async def is_as_wanted() -> bool:
        return await told() == wanted

    async with started(own_influxdb.url) as api:
        await eventually(f"the usage API tells {wanted}", is_as_wanted)


async def test_a_routers_requests_can_be_asked_of_influxdb_by_tenant_and_status(
    influxdb: InfluxServer, aws: Aws, stack: Stack, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    keep_secret(aws.client("secretsmanager"), influxdb.url, "tyrell/of-the-router/metrics")
    async with metrics_agent(aws, tmp_path, "of-the-router") as agent:
        router = await stack.router(STATSD_HOST=agent.address)
        for _ in range(4):
            async with http.get(router, headers=ACME) as response:
                assert response.status == 503
        await await_total(influxdb, "http_req_root_status_5xx", "of-the-router", 4)
    of_its_stack = "WHERE link_stack = 'of-the-router' GROUP BY tenant"
    ((tenant, _, counted),) = influxdb.ask(f"SELECT sum(count) FROM http_req_root {of_its_stack}", "telegraf")
    ((_, _, milliseconds),) = influxdb.ask(f"SELECT max(upper) FROM http_req_root {of_its_stack}", "telegraf")
    assert (tenant, counted) == ("acme", 4)
    assert 0 < milliseconds < 20_000
