"""One etcd for all tests of a run, emptied before each; services, an AWS or an InfluxDB for the tests that ask."""

from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest

from link.shared.etcd import Etcd
from link.shared.records import VERSION_KEY
from tests.link.aws_process import aws_process
from tests.link.aws_proxy import Proxy
from tests.link.aws_server import Aws, aws_server
from tests.link.data_queue import DataQueue
from tests.link.etcd_server import HOST, etcd_server
from tests.link.influxdb_server import InfluxServer, influxdb_or_skip
from tests.link.processes import Stack
from tests.waiting import free_port


@pytest.fixture(scope="session")
def etcd_port() -> Iterator[int]:
    """The client port of an etcd at `HOST`."""
    port = free_port(HOST)
    with etcd_server(port):
        yield port


@pytest.fixture
async def etcd(etcd_port: int) -> AsyncIterator[Etcd]:
    """A client of an etcd that holds nothing."""
    client = Etcd([f"http://{HOST}:{etcd_port}"])
    for key in (await client.read("/")).records:
        await client.delete(key)
    yield client
    await client.close()


@pytest.fixture
async def stack(etcd: Etcd, etcd_port: int) -> AsyncIterator[Stack]:
    """Starts services around an etcd whose live version is v1."""
    await etcd.put(VERSION_KEY, '{"version":"v1"}')
    async with Stack.at(f"{HOST}:{etcd_port}") as running:
        yield running


@pytest.fixture(scope="session")
def influxdb() -> Iterator[InfluxServer]:
    """One InfluxDB for all tests; each uses names of its own."""
    yield from influxdb_or_skip()


@pytest.fixture
def own_influxdb() -> Iterator[InfluxServer]:
    """An InfluxDB that may be broken."""
    yield from influxdb_or_skip()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """A client that gives up in the end, but not because the machine is busy."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:
        yield session


@pytest.fixture
def aws() -> Iterator[Aws]:
    """A fresh AWS."""
    with aws_server() as server:
        yield server


@pytest.fixture(scope="module")
def data_aws() -> Iterator[Aws]:
    """One AWS for all tests of a module, in a process of its own: each test has a queue and a bucket of its own."""
    with aws_process() as running:
        yield running


@pytest.fixture
def data(data_aws: Aws) -> DataQueue:
    """A queue of device messages, and a bucket for them."""
    return DataQueue(data_aws)


@pytest.fixture
def proxy(data_aws: Aws) -> Iterator[Proxy]:
    """A proxy before that AWS."""
    with Proxy.to(data_aws.url) as running:
        yield running
