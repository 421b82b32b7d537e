"""From what the services do to what the dashboards show: every query is asked of an InfluxDB that the agents filled."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from pydantic import SecretStr

from tasks import clients
from tasks.errors import InfluxRefused, RoleInvalid
from tasks.influxdb import InfluxAccess, query
from tasks.model import Version
from tasks.monitoring.annotations import annotate
from tasks.monitoring.dashboards import FOLDER, Dashboard, Query, Window, load_dashboards
from tests.link.asking import TENANT, await_up
from tests.link.aws_server import REGION, Aws
from tests.link.bare_websocket import BareWebSocket
from tests.link.data_queue import DataQueue
from tests.link.etcd_server import HOST
from tests.link.influxdb_server import ADMIN, InfluxServer
from tests.link.metrics_agents import keep_secret, metrics_agent
from tests.link.processes import Stack, service_process
from tests.link.waiting import eventually

pytestmark = [pytest.mark.influxdb, pytest.mark.cloud]

ACME = {TENANT: "acme"}
STACK = "pictured"
MACHINES = ("router", "target", "tenant-mgmt-api", "device-data-worker")
USAGE = ("hub_messages_count", "hub_messages_bytes")


def silent(access: InfluxAccess, dashboard: Dashboard) -> list[str]:
    """The queries of the dashboard that nothing answers."""
    now = datetime.now(UTC)
    window = Window(now - timedelta(minutes=15), now + timedelta(minutes=1))
    named = [(panel.title, asked) for panel in dashboard.panels for asked in panel.queries]
    named += [("marks", dashboard.marks), *(("variables", asked) for asked in dashboard.variables)]
    return [
        f"{dashboard.name}, {title}: {asked.text}"
        for title, asked in named
        if not query(access, asked.filled(STACK, window), asked.database)
    ]


@contextlib.asynccontextmanager
async def agents(aws: Aws, url: str, folder: Path) -> AsyncIterator[dict[str, str]]:
    """An agent for each kind of machine; where they listen, by the kind."""
    keep_secret(aws.client("secretsmanager"), url, f"tyrell/{STACK}/metrics")
    async with contextlib.AsyncExitStack() as running:
        addresses = {}
        for kind in MACHINES:
            (folder / kind).mkdir()
            agent = metrics_agent(aws, folder / kind, STACK, LINK_INSTANCE_TYPE=kind)
            addresses[kind] = (await running.enter_async_context(agent)).address
        yield addresses


async def work(http: aiohttp.ClientSession, stack: Stack, addresses: dict[str, str]) -> contextlib.AsyncExitStack:
    """Have a router and a target do all there is to tell of; the connections of a hub and a subscriber stay open."""
    router = await stack.router(STATSD_HOST=addresses["router"], METRICS_INTERVAL="0.5")
    async with http.get(router, headers=ACME) as failed:
        assert failed.status == 503
    target = await stack.target(STATSD_HOST=addresses["target"], PING_INTERVAL="0.5")
    await await_up(http, router, [target])
    server = f"cloud-{target.rpartition(':')[2]}"
    for path in ("/", f"/servers/{server}", "/servers/nowhere"):
        async with http.get(router + path, headers=ACME) as answer:
            assert answer.status == (404 if "nowhere" in path else 200)
    (await BareWebSocket.connect(target, "/peers/lost", f"{TENANT}: acme")).break_off()
    async with http.ws_connect(f"{target}/peers/left", headers=ACME):
        pass
    connected = contextlib.AsyncExitStack()
    hub = await connected.enter_async_context(http.ws_connect(f"{router}/peers/hub1", headers=ACME))
    await hub.send_str("ten bytes.")
    await connected.enter_async_context(http.ws_connect(f"{router}/events", headers=ACME))
    return connected


def add_up(server: InfluxServer) -> None:
    """What InfluxDB's continuous queries do now and then."""
    for name in USAGE:
        server.ask(
            f'SELECT sum(value) AS total INTO linkusage."default"."{name}" FROM telegraf."default"."linkusage_{name}" '
            f"WHERE time > now() - 1h GROUP BY link_stack, tenantId, targetName, time(1m)"
        )


async def test_every_query_of_every_dashboard_is_answered_by_what_the_services_tell(
    etcd_port: int,
    stack: Stack,
    http: aiohttp.ClientSession,
    influxdb: InfluxServer,
    data_aws: Aws,
    data: DataQueue,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    admin = InfluxAccess(url=influxdb.url, username=ADMIN[0], password=SecretStr(ADMIN[1]))
    for name, value in (data_aws.variables | {"AWS_DEFAULT_REGION": REGION}).items():
        monkeypatch.setenv(name, value)
    clients.forget()
    async with contextlib.AsyncExitStack() as running:
        addresses = await running.enter_async_context(agents(data_aws, influxdb.url, tmp_path))
        collecting = {"COREOS_PRIVATE_IPV4": HOST, "ETCD_PEER_HOSTS": f"{HOST}:{etcd_port}", "INTERVAL": "500"}
        collecting["STATSD_HOST"] = addresses["tenant-mgmt-api"]
        await running.enter_async_context(service_process("link.metrics_collector", collecting))
        data.send_numbered(10)
        working = data.variables | {"STATSD_HOST": addresses["device-data-worker"]}
        await running.enter_async_context(service_process("link.data_worker", working))
        await running.enter_async_context(await work(http, stack, addresses))
        annotate(Version(stack=STACK, role="router", id="v1"), "switch", ("gave router v1 100 %",), 100)

        async def all_answered() -> bool:
            add_up(influxdb)
            return not any(silent(admin, dashboard) for dashboard in load_dashboards())

        with contextlib.suppress(AssertionError):  # the next one says which is not
            await eventually("every query to be answered", all_answered, timeout=60)
    assert [each for dashboard in load_dashboards() for each in silent(admin, dashboard)] == []
    check_that_typing_errors_are_found(admin)


def check_that_typing_errors_are_found(admin: InfluxAccess) -> None:
    """With the same data: a name that nobody writes is silent, and what is no InfluxQL is refused."""
    (routers,) = (dashboard for dashboard in load_dashboards() if dashboard.name == "routers")
    panel = routers.panels[0]
    right = panel.queries[0]

    def with_query(text: str) -> Dashboard:
        wrong = replace(panel, queries=(Query(right.database, text, right.alias),))
        return replace(routers, panels=(wrong, *routers.panels[1:]))

    misspelled = with_query(right.text.replace("http_req", "htpp_req"))
    assert silent(admin, misspelled) == [f"routers, {panel.title}: {misspelled.panels[0].queries[0].text}"]
    with pytest.raises(InfluxRefused, match="error parsing query"):
        silent(admin, with_query(right.text.replace("GROUP BY", "GRUOP BY")))


@pytest.mark.parametrize("content", ["", "{}", '{"title": "x", "panels": []}'])
def test_a_file_that_is_no_dashboard_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "odd.json").write_text(content)
    with pytest.raises(RoleInvalid, match=r"odd\.json: no dashboard"):
        load_dashboards(tmp_path)


def test_a_dashboard_whose_panel_asks_nothing_is_refused(tmp_path: Path) -> None:
    text = (FOLDER / "workers.json").read_text()
    first = text.index('"targets": [')
    (tmp_path / "workers.json").write_text(text[:first] + '"targets": [], "was": [' + text[first + 12 :])
    with pytest.raises(RoleInvalid, match="no queries in Messages moved"):
        load_dashboards(tmp_path)
