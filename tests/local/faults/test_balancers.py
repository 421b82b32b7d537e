"""A load balancer that cannot see the health of its targets."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from tests.local.balancers.cloud import Cloud, forward, get
from tests.local.balancers.targets import target_process
from tests.waiting import free_port
from tyrell.local.faults.model import BalancerFault
from tyrell.local.faults.remote import add_fault, clear_faults

pytestmark = pytest.mark.cloud


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder with a short name: sockets lie in it."""
    with tempfile.TemporaryDirectory(prefix="tyrell-") as folder:
        yield Path(folder)


def test_a_balancer_that_sees_no_health_says_so_of_the_groups_meant_until_the_fault_is_taken_back(home: Path) -> None:
    with Cloud.running(home, IPv4Network("127.35.192.0/20")) as cloud:
        address = "127.35.200.1"
        port = free_port(address)
        blind, seeing = (cloud.target_group(UnhealthyThresholdCount=2) for _ in range(2))
        name = cloud.elb.describe_target_groups(TargetGroupArns=[blind])["TargetGroups"][0]["TargetGroupName"]
        balancer = cloud.balancer()
        add_fault(cloud.settings, BalancerFault(kind="no-health", target_groups=name))
        with target_process("blue", address, port):
            for group in (blind, seeing):
                cloud.register(group, address, port)
            listener = cloud.listener(balancer, forward({blind: 1, seeing: 1}))
            cloud.await_states(seeing, {"healthy"})
            cloud.await_states(blind, {"unhealthy"}, seconds=20)
            served = get(balancer, listener)
            assert served
            assert served.status_code == 200
            clear_faults(cloud.settings)
            cloud.await_states(blind, {"healthy"}, seconds=60)
