"""A Link stack and a metrics stack: attached while machines run, from a hub's message to what the usage API tells."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import aiohttp
import httpx
import pytest

from tasks.influxdb import query
from tasks.monitoring.users import find_admin
from tasks.secrets import find_secret
from tests.flows.embedded import Tyrell
from tests.waiting import eventually

pytestmark = [pytest.mark.flow, pytest.mark.influxdb]

NAME = "demo-metrics"
ACME = {"x-apigee-iot-tenant-id": "acme"}
SOON = 30.0
EVERYWHERE = {"core-services", "router", "target", "tenant-mgmt-api"}


@pytest.fixture(scope="module")
def stack(cloud: Tyrell, metrics: list[str]) -> dict[str, str]:
    """A Link stack that was there before anybody thought of metrics, attached while it runs."""
    brought: dict[str, str] = cloud.json("up", "demo")
    cloud.ok("metrics", "attach", "demo", NAME)
    return brought


def asked(statement: str, database: str = "telegraf") -> list[list[object]]:
    """The rows of all series."""
    return [list(row) for series in query(find_admin(NAME), statement, database) for row in series.rows]


def test_machines_that_run_already_write_within_seconds(cloud: Tyrell, stack: dict[str, str]) -> None:
    def types() -> set[object]:
        return {row[1] for row in asked('SHOW TAG VALUES FROM cpu WITH KEY = "link_type"')}

    eventually("machines of all roles write", lambda: types() >= EVERYWHERE, SOON)
    unallocated = "SELECT last(value) FROM link_targets_unallocated WHERE link_stack = 'demo'"
    eventually("the collector's figures", lambda: asked(unallocated), SOON)
    status = cloud.json("metrics", "status", NAME)
    assert status["attached"]["demo"] is not None
    assert cloud.json("metrics", "attach", "demo", NAME)["changes"] == []


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """A client."""
    async with aiohttp.ClientSession() as session:
        yield session


async def test_what_a_hub_sends_is_what_the_usage_api_tells(
    cloud: Tyrell, stack: dict[str, str], http: aiohttp.ClientSession
) -> None:
    changes = cloud.json("up", "demo")["changes"]
    assert any(change.startswith("created stack demo-usage-api-") for change in changes), changes
    async with http.ws_connect(f"{stack['url']}/peers/hub1", headers=ACME) as hub:
        for _ in range(5):
            await hub.send_str("ten bytes.")

    def told() -> dict[str, int]:
        """Since yesterday: it may be midnight now."""
        now = datetime.now(UTC)
        days = {"startDate": f"{now - timedelta(days=1):%Y-%m-%d}", "endDate": f"{now:%Y-%m-%d}"}
        answer = httpx.get(f"{stack['internal_url']}/usage/tenants/acme", params=days, trust_env=False)
        found: dict[str, int] = answer.raise_for_status().json()["properties"]
        return found if found["messagesCount"] else {}

    usage = eventually("the usage API tells of the hub", told, SOON)
    assert (usage["messagesCount"], usage["messagesBytes"]) == (5, 50)
    assert "messagesCount" not in httpx.get(f"{stack['url']}/usage", trust_env=False).text


def test_a_metrics_stack_that_somebody_writes_to_does_not_go(cloud: Tyrell, stack: dict[str, str]) -> None:
    done = cloud.run("metrics", "down", NAME, "--yes")
    assert done.returncode == 2
    assert "stack demo writes to metrics stack demo-metrics; `tyrell metrics detach demo` first" in done.stderr


@pytest.mark.long
def test_bring_up_goes_on_without_metrics_only_when_told_so(cloud: Tyrell, stack: dict[str, str]) -> None:
    refused = cloud.run("up", "demo", "--metrics", "none")
    assert refused.returncode == 2
    assert "metrics stack none does not exist" in refused.stderr
    changes = cloud.json("up", "demo", "--metrics", "none", "--metrics-optional")["changes"]
    told = "went on without metrics: metrics stack none does not exist"
    assert [change for change in changes if change.startswith(told)], changes


def test_a_stack_that_goes_leaves_nothing_in_its_metrics(cloud: Tyrell, stack: dict[str, str]) -> None:
    cloud.ok("down", "demo", "--yes")
    assert find_secret("tyrell/demo/metrics") is None
    assert find_secret("tyrell/demo/usage") is None
    assert [row[0] for row in asked("SHOW USERS")] == ["admin", "reader"]
    assert cloud.json("metrics", "status", NAME)["attached"] == {}
