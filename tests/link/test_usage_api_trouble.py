"""What the usage API says when InfluxDB does not answer, or not as it should."""

import contextlib
import re

import aiohttp
import pytest

from tests.link.aws_server import Aws
from tests.link.influxdb_server import ADMIN, READER, WRITER, InfluxServer
from tests.link.metrics_agents import keep_secret
from tests.link.processes import HOSTS, service_process
from tests.link.usage_apis import started
from tests.link.waiting import eventually
from tests.waiting import free_port

pytestmark = pytest.mark.influxdb


@pytest.mark.parametrize(
    ("user", "sentence"),
    [
        ((READER[0], "wrong"), "InfluxDB says: authorization failed"),
        (WRITER, r"InfluxDB says: error authorizing query: stack not authorized to execute statement 'SELECT .*"),
    ],
)
async def test_a_user_who_may_not_read_usage_is_told_so(
    influxdb: InfluxServer, http: aiohttp.ClientSession, user: tuple[str, str], sentence: str
) -> None:
    async with started(influxdb.url, user) as api:
        for path in ("/", "/health"):
            async with http.get(api + path) as response:
                assert response.status == 502
                assert re.match(sentence, (await response.json())["error"])


async def test_an_answer_of_200_that_holds_an_error_is_an_error(
    own_influxdb: InfluxServer, http: aiohttp.ClientSession
) -> None:
    own_influxdb.ask("DROP DATABASE linkusage")
    query = {"db": "linkusage", "q": "SELECT SUM(total) FROM hub_http_count"}
    async with http.get(f"{own_influxdb.url}/query", params=query, auth=aiohttp.BasicAuth(*ADMIN)) as response:
        assert response.status == 200
    async with started(own_influxdb.url, ADMIN) as api, http.get(api) as response:
        assert response.status == 502
        assert await response.json() == {"error": "InfluxDB says: database not found: linkusage"}


async def test_it_is_not_healthy_before_influxdb_has_answered(http: aiohttp.ClientSession) -> None:
    nobody = f"http://{next(HOSTS)}:9"
    async with started(nobody) as api, http.get(f"{api}/health") as response:
        assert response.status == 503
        assert (await response.json())["error"].startswith(f"InfluxDB at {nobody} does not answer: ")


async def test_an_influxdb_that_is_lost_later_is_told_and_takes_no_machine_out_of_the_balancer(
    own_influxdb: InfluxServer, http: aiohttp.ClientSession
) -> None:
    async with started(own_influxdb.url) as api:
        async with http.get(f"{api}/health") as response:
            assert response.status == 200
        own_influxdb.kill()
        async with http.get(api) as response:
            assert response.status == 503
        async with http.get(f"{api}/health") as response:
            assert response.status == 200


async def test_without_its_secret_it_ends_with_one_sentence(data_aws: Aws) -> None:
    variables = data_aws.variables | {"COREOS_PRIVATE_IPV4": next(HOSTS), "ZETTA_STACK": "without"}
    async with service_process("link.usage_api", variables) as process:
        _, said = await process.communicate()
    assert (process.returncode, said) == (2, b"usage-api: there is no secret tyrell/without/usage\n")


async def test_its_access_is_that_of_its_secret(
    data_aws: Aws, influxdb: InfluxServer, http: aiohttp.ClientSession
) -> None:
    keep_secret(data_aws.client("secretsmanager"), influxdb.url, "tyrell/with/usage", READER)
    address = next(HOSTS)
    port = free_port(address)
    machine = {"COREOS_PRIVATE_IPV4": address, "PORT": str(port), "ZETTA_STACK": "with"}

    async def is_healthy() -> bool:
        with contextlib.suppress(aiohttp.ClientConnectionError):
            async with http.get(f"http://{address}:{port}/health") as response:
                return response.status == 200
        return False

    async with service_process("link.usage_api", data_aws.variables | machine):
        await eventually("the usage API to be healthy", is_healthy)
