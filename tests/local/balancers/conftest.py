"""One proxy process, and one cloud whose load balancers are real, for the tests of this folder."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from aiohttp import ClientSession

from tests.local.balancers.cloud import Cloud
from tests.local.balancers.proxies import ToldProxy, next_address
from tests.local.balancers.targets import TargetServer, serving


@pytest.fixture(scope="package")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Cloud.running(tmp_path_factory.mktemp("balancers")) as running:
        yield running


@pytest.fixture(scope="package")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ToldProxy]:
    told = ToldProxy(tmp_path_factory.mktemp("proxy"))
    yield told
    told.process.stop()


@pytest.fixture
async def blue() -> AsyncIterator[TargetServer]:
    async with serving("blue", next_address()) as target:
        yield target


@pytest.fixture
async def green() -> AsyncIterator[TargetServer]:
    async with serving("green", next_address()) as target:
        yield target


@pytest.fixture
async def client(proxy: ToldProxy) -> AsyncIterator[ClientSession]:
    async with ClientSession(proxy.url) as session:
        yield session
