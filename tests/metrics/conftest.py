"""One InfluxDB for all tests of metrics, and the ways in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from tasks.influxdb import InfluxAccess
from tests.link.influxdb_server import ADMIN, READER, WRITER, InfluxServer, influxdb_or_skip


def as_user(server: InfluxServer, user: tuple[str, str]) -> InfluxAccess:
    """The server as one of its users."""
    return InfluxAccess(url=server.url, username=user[0], password=SecretStr(user[1]))


@pytest.fixture(scope="session")
def influxdb() -> Iterator[InfluxServer]:
    """The server; each test uses names of its own."""
    yield from influxdb_or_skip()


@pytest.fixture
def admin(influxdb: InfluxServer) -> InfluxAccess:
    """May do everything."""
    return as_user(influxdb, ADMIN)


@pytest.fixture
def writer(influxdb: InfluxServer) -> InfluxAccess:
    """May only write into `telegraf`."""
    return as_user(influxdb, WRITER)


@pytest.fixture
def reader(influxdb: InfluxServer) -> InfluxAccess:
    """May only read `linkusage`."""
    return as_user(influxdb, READER)
