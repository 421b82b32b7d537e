"""The usage API over a real InfluxDB."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import aiohttp
import pytest

from tests.link.influxdb_server import InfluxServer
from tests.link.usage_apis import started

pytestmark = pytest.mark.influxdb

USED = """
hub_http_count,link_stack=lab,tenantId=acme,targetName=hub1 total=3 2026-01-30
hub_http_count,link_stack=lab,tenantId=acme,targetName=hub2 total=4 2026-01-30
hub_http_count,link_stack=lab,tenantId=acme,targetName=hub1 total=5 2026-02-01
hub_messages_count,link_stack=lab,tenantId=acme,targetName=hub1 total=7 2026-02-01
hub_messages_bytes,link_stack=lab,tenantId=acme,targetName=hub1 total=700 2026-02-01
hub_http_count,link_stack=lab,tenantId=other,targetName=hub1 total=9 2026-02-01
hub_http_count,link_stack=another,tenantId=acme,targetName=hub1 total=1000 2026-02-01
"""
TOO_LONG = "endDate must not be before startDate, nor more than 366 days after it"
PERIOD = "startDate=2026-01-30&endDate=2026-02-01"


def nanoseconds(day: str) -> int:
    """Midnight of the day, UTC, as InfluxDB counts time."""
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) * 10**9


@pytest.fixture
async def api(influxdb: InfluxServer) -> AsyncIterator[str]:
    """The usage API of stack `lab`, which has used something, as the user who may only read."""
    points = [line.rpartition(" ") for line in USED.split("\n") if line]
    influxdb.write("linkusage", [f"{point} {nanoseconds(day)}" for point, _, day in points])
    async with started(influxdb.url) as url:
        yield url


async def test_all_tenants_usage_is_told_day_by_day_and_that_of_other_stacks_is_not(
    api: str, http: aiohttp.ClientSession
) -> None:
    async with http.get(f"{api}/?{PERIOD}") as response:
        assert (response.status, response.content_type) == (200, "application/json")
        root = await response.json()
    assert root["class"] == ["root"]
    assert root["properties"] == {
        "httpCount": 21,
        "messagesBytes": 700,
        "messagesCount": 7,
        "startDate": "2026-01-30T00:00:00Z",
        "endDate": "2026-02-01T00:00:00Z",
    }
    acme, other = root["entities"]
    assert acme["properties"] == {
        "tenantId": "acme",
        "data": [
            {"date": "2026-01-30T00:00:00Z", "httpCount": 7, "messagesBytes": 0, "messagesCount": 0},
            {"date": "2026-01-31T00:00:00Z", "httpCount": 0, "messagesBytes": 0, "messagesCount": 0},
            {"date": "2026-02-01T00:00:00Z", "httpCount": 5, "messagesBytes": 700, "messagesCount": 7},
        ],
    }
    assert [day["httpCount"] for day in other["properties"]["data"]] == [0, 0, 9]


@pytest.mark.parametrize("root", ["/", "/usage"])
async def test_from_all_tenants_a_link_leads_to_each_also_below_the_path_of_the_balancer(
    api: str, http: aiohttp.ClientSession, root: str
) -> None:
    async with http.get(f"{api}{root}?{PERIOD}") as response:
        acme = (await response.json())["entities"][0]
    link = acme["links"][0]["href"]
    assert link == f"{api}{root.rstrip('/')}/tenants/acme"
    async with http.get(f"{link}?{PERIOD}") as response:
        assert (await response.json())["properties"]["tenantId"] == "acme"


async def test_one_tenants_hubs_are_told_month_by_month(api: str, http: aiohttp.ClientSession) -> None:
    headers = {"Accept": "application/vnd.siren+json"}
    async with http.get(f"{api}/tenants/acme?{PERIOD}&aggregation=month", headers=headers) as response:
        assert response.content_type == "application/vnd.siren+json"
        tenant = await response.json()
    assert (tenant["class"], tenant["properties"]["tenantId"]) == (["tenant"], "acme")
    months = {
        item["properties"]["hubId"]: {each["date"]: each["httpCount"] for each in item["properties"]["data"]}
        for item in tenant["entities"]
    }
    assert months == {
        "hub1": {"2026-01-01T00:00:00Z": 3, "2026-02-01T00:00:00Z": 5},
        "hub2": {"2026-01-01T00:00:00Z": 4, "2026-02-01T00:00:00Z": 0},
    }


async def test_a_spreadsheet_gets_a_line_for_each_metric(api: str, http: aiohttp.ClientSession) -> None:
    async with http.get(f"{api}/?{PERIOD}&aggregation=month", headers={"Accept": "text/csv"}) as response:
        assert response.content_type == "text/csv"
        rows = list(csv.reader(io.StringIO(await response.text())))
    assert rows == [
        ["tenant", "metric", "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"],
        ["acme", "httpCount", "7", "5"],
        ["acme", "messagesBytes", "0", "700"],
        ["acme", "messagesCount", "0", "7"],
        ["other", "httpCount", "0", "9"],
        ["other", "messagesBytes", "0", "0"],
        ["other", "messagesCount", "0", "0"],
    ]


@pytest.mark.parametrize("tenant", ["nobody", "acme' OR tenantId = 'other", "%27%3B%20DROP%20DATABASE%20linkusage"])
async def test_a_tenant_that_nobody_knows_has_used_nothing(api: str, http: aiohttp.ClientSession, tenant: str) -> None:
    async with http.get(f"{api}/tenants/{tenant}?{PERIOD}") as response:
        assert response.status == 200
        told = await response.json()
    assert (told["entities"], told["properties"]["httpCount"]) == ([], 0)


async def test_without_dates_it_is_this_month_so_far(api: str, http: aiohttp.ClientSession) -> None:
    today = datetime.now(UTC)
    async with http.get(api) as response:
        properties = (await response.json())["properties"]
    assert properties["startDate"] == today.strftime("%Y-%m-01T00:00:00Z")
    assert properties["endDate"] == today.strftime("%Y-%m-%dT00:00:00Z")


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("startDate=2026-01-30", "startDate and endDate must be given together"),
        ("startDate=monday&endDate=2026-02-01", "startDate must be a date such as 2026-01-31, not 'monday'"),
        ("startDate=2026-02-02&endDate=2026-02-01", TOO_LONG),
        ("startDate=2020-01-01&endDate=2026-02-01", TOO_LONG),
        ("aggregation=week", "aggregation must be day or month, not 'week'"),
    ],
)
async def test_a_query_that_makes_no_sense_is_refused_with_a_reason(
    api: str, http: aiohttp.ClientSession, query: str, sentence: str
) -> None:
    async with http.get(f"{api}/tenants/acme?{query}") as response:
        assert (response.status, await response.json()) == (400, {"error": sentence})


async def test_nothing_is_left_out_of_a_year_of_many_tenants(
    influxdb: InfluxServer, http: aiohttp.ClientSession
) -> None:
    """More rows than the server puts into one answer."""
    at = nanoseconds("2025-06-01")
    tenants = [f"tenant-{number}" for number in range(40)]
    influxdb.write(
        "linkusage", [f"hub_http_count,link_stack=big,tenantId={one},targetName=hub total=1 {at}" for one in tenants]
    )
    year = "startDate=2025-01-01&endDate=2025-12-31&aggregation=month"
    async with started(influxdb.url, stack="big") as api, http.get(f"{api}/?{year}") as response:
        told = await response.json()
    assert told["properties"]["httpCount"] == 40
    assert {len(item["properties"]["data"]) for item in told["entities"]} == {12}
