"""Metrics outlive the processes and records they are about."""

from __future__ import annotations

import os
import signal
import threading

import httpx
import pytest

from tests.local.balancers.cloud import NO_LIVE_VERSION, Cloud, Listener, LoadBalancer, eventually
from tests.local.balancers.metrics.meter import Meter, metered, next_second

pytestmark = pytest.mark.cloud


def answers(meter: Meter) -> bool:
    try:
        return httpx.get(f"{meter.url}/200", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def test_a_proxy_that_is_killed_loses_and_doubles_no_request_that_was_collected(cloud: Cloud) -> None:
    balancer = cloud.balancer()
    with metered(cloud, balancer, cloud.listener(balancer, NO_LIVE_VERSION)) as meter:
        start = next_second()
        meter.ask(times=10)
        assert meter.since(start, "RequestCount") == 10
        before = cloud.proxy_pid(balancer)
        os.kill(before, signal.SIGKILL)
        eventually(lambda: cloud.proxy_pid(balancer), lambda pid: pid != before)
        eventually(lambda: answers(meter), bool)
        meter.ask(times=5)
        assert meter.since(start, "RequestCount") == 10 + 1 + 5


def test_the_metrics_of_a_deleted_target_group_and_of_a_deleted_load_balancer_stay(
    cloud: Cloud, listener: Listener
) -> None:
    balancer = cloud.balancer()
    with metered(cloud, balancer, cloud.listener(balancer, NO_LIVE_VERSION)) as meter:
        start = next_second()
        meter.ask(times=10)
        cloud.elb.delete_rule(RuleArn=meter.rule)
        cloud.elb.delete_target_group(TargetGroupArn=meter.group)
        assert meter.since(start, "RequestCount") == 10
        cloud.elb.delete_load_balancer(LoadBalancerArn=balancer.arn)
        eventually(lambda: cloud.engine.proxy_pid(balancer.arn), lambda pid: pid is None)
        assert meter.since(start, "RequestCount") == 10


def test_reading_while_requests_run_counts_none_twice_and_misses_none(
    cloud: Cloud, balancer: LoadBalancer, listener: Listener
) -> None:
    with metered(cloud, balancer, listener) as meter:
        start = next_second()
        loads = [threading.Thread(target=Meter.ask, args=(meter,), kwargs={"times": 100}) for _ in range(4)]
        for load in loads:
            load.start()
        seen = [0.0]
        while any(load.is_alive() for load in loads):
            seen.append(meter.since(start, "RequestCount"))
        assert seen == sorted(seen)
        assert meter.since(start, "RequestCount") == meter.since(start, "HTTPCode_Target_2XX_Count") == 400
