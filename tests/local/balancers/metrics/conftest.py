"""A cloud with one load balancer whose metrics are read."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network

import pytest

from tests.local.balancers.cloud import NO_LIVE_VERSION, Cloud, Listener, LoadBalancer
from tests.local.balancers.metrics.meter import Meter, metered


@pytest.fixture(scope="package")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Cloud.running(tmp_path_factory.mktemp("metrics"), IPv4Network("127.41.0.0/17")) as running:
        yield running


@pytest.fixture(scope="package")
def balancer(cloud: Cloud) -> LoadBalancer:
    return cloud.balancer()


@pytest.fixture(scope="package")
def listener(cloud: Cloud, balancer: LoadBalancer) -> Listener:
    return cloud.listener(balancer, NO_LIVE_VERSION)


@pytest.fixture(scope="module")
def meter(cloud: Cloud, balancer: LoadBalancer, listener: Listener) -> Iterator[Meter]:
    with metered(cloud, balancer, listener) as running:
        yield running
