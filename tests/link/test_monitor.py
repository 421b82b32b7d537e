"""When a target counts as up or down."""

import time
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from link.shared.monitor import Monitor, Verdict
from link.shared.records import Target
from tests.link.processes import HOSTS, Stack
from tests.link.waiting import eventually
from tests.waiting import free_port


@pytest.fixture
async def monitor() -> AsyncIterator[Monitor]:
    """A monitor that checks often."""
    monitor = Monitor(interval=0.05)
    yield monitor
    await monitor.close()


def new_target(port: int | None = None, host: str | None = None) -> Target:
    """A target of an address of its own, where nothing listens yet."""
    host = host or next(HOSTS)
    return Target(f"http://{host}:{port or free_port(host)}", "2026-01-01T00:00:00.000Z", "v1")


class Answers:
    """A server whose `GET /` answers with a status that can be changed, and that notes when it was asked."""

    def __init__(self, status: int) -> None:
        self.status = status
        self.asked: list[float] = []
        self.app = web.Application()
        self.app.router.add_get("/", self._root)

    async def _root(self, _request: web.Request) -> web.Response:
        self.asked.append(time.monotonic())
        return web.Response(status=self.status)


async def test_a_target_nobody_listens_for_is_down_at_once(monitor: Monitor) -> None:
    target = new_target()
    assert monitor.verdict(target).state == "UNKNOWN"
    monitor.watch([target])
    await monitor.settle([target], timeout=2)
    assert monitor.verdict(target) == Verdict("DOWN", "connection refused", failures=1)


async def test_a_failing_target_is_down_after_two_failures_and_up_after_one_success(
    monitor: Monitor, stack: Stack
) -> None:
    answers, target = Answers(status=500), new_target()
    address, port = target.authority.split(":")
    await stack.serve(answers.app, address, int(port))
    monitor.watch([target])
    await monitor.settle([target], timeout=2)
    assert monitor.verdict(target) == Verdict("DOWN", "GET / failed: status 500", failures=2)
    assert len(answers.asked) == 2
    answers.status = 200

    async def is_up() -> bool:
        return monitor.is_up(target)

    await eventually("the target is up again", is_up)


async def test_targets_that_appear_together_are_not_asked_in_the_same_instant(monitor: Monitor, stack: Stack) -> None:
    answers, host = Answers(status=200), next(HOSTS)
    targets = [new_target(host=host) for _ in range(10)]
    for target in targets:
        await stack.serve(answers.app, host, int(target.authority.split(":")[1]))
    monitor.watch(targets)
    await monitor.settle(targets, timeout=3)
    first = sorted(answers.asked)
    assert all(monitor.is_up(target) for target in targets)
    assert first[-1] - first[0] > 0.1


async def test_a_target_that_is_registered_anew_is_unknown_until_it_is_asked_again(
    monitor: Monitor, stack: Stack
) -> None:
    before = new_target()
    anew = Target(before.url, "2026-01-01T00:00:09.000Z", "v1")
    monitor.watch([before])
    await monitor.settle([before], timeout=2)
    monitor.watch([anew])
    assert (monitor.verdict(before).state, monitor.verdict(anew).state) == ("UNKNOWN", "UNKNOWN")
    await monitor.settle([anew], timeout=2)
    assert monitor.verdict(anew).state == "DOWN"


async def test_a_target_given_to_a_tenant_keeps_its_verdict(monitor: Monitor) -> None:
    target = new_target()
    monitor.watch([target])
    await monitor.settle([target], timeout=2)
    monitor.watch([target.given_to("acme")])
    assert monitor.verdict(target.given_to("acme")).state == "DOWN"
