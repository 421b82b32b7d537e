"""Health checks as a real proxy process does them."""

from __future__ import annotations

import pytest

from tests.local.balancers.proxies import ToldProxy, group, next_address, soon
from tests.local.balancers.targets import TargetServer, serving
from tests.waiting import free_port

pytestmark = pytest.mark.cloud


async def test_one_passed_check_makes_a_new_target_healthy(proxy: ToldProxy, blue: TargetServer) -> None:
    proxy.tell(group(blue, interval=60, healthy_threshold=10))
    await proxy.healthy(blue)


async def test_an_unhealthy_target_says_why_and_recovers(proxy: ToldProxy, blue: TargetServer) -> None:
    proxy.tell(group(blue))
    await proxy.healthy(blue)
    blue.health = 418
    seen = await soon(lambda: proxy.target(blue), lambda seen: seen.state == "unhealthy")
    assert (seen.reason, seen.description) == (
        "Target.ResponseCodeMismatch",
        "Health checks failed with these codes: [418]",
    )
    blue.health = 200
    await proxy.healthy(blue)


async def test_a_target_that_refuses_or_does_not_answer_is_told_apart(proxy: ToldProxy, blue: TargetServer) -> None:
    refusing = TargetServer("refusing")
    refusing.address = next_address()
    refusing.port = free_port(refusing.address)
    proxy.tell(group(blue, refusing, path="/held", timeout=0.1))
    await soon(lambda: proxy.target(blue).state, lambda state: state == "unhealthy")
    await soon(lambda: proxy.target(refusing).state, lambda state: state == "unhealthy")
    assert proxy.target(blue).reason == "Target.Timeout"
    assert proxy.target(refusing).reason == "Target.FailedHealthChecks"


async def test_a_target_that_is_slow_to_start_is_initial_until_the_threshold_of_intervals_and_found_at_once(
    proxy: ToldProxy,
) -> None:
    address = next_address()
    late = TargetServer("late")
    late.address, late.port = address, free_port(address)
    proxy.tell(group(late, interval=60))
    await soon(lambda: proxy.target(late).reason, lambda reason: reason == "Elb.InitialHealthChecking")
    async with serving("late", address, late.port):
        await proxy.healthy(late)


async def test_a_configuration_keeps_the_health_of_targets_that_stay(proxy: ToldProxy, blue: TargetServer) -> None:
    proxy.tell(group(blue, interval=60))
    await proxy.healthy(blue)
    proxy.tell(group(blue, interval=60, deregistration_delay=1), idle_timeout=59)
    assert proxy.target(blue).state == "healthy"
