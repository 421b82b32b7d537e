"""What one request counts as in the metrics of a load balancer: real requests through a real proxy."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress

import pytest
from aiohttp import ClientSession, ClientTimeout, ServerDisconnectedError, WSMsgType, WSServerHandshakeError

from tests.local.balancers.proxies import ToldProxy, group, next_address, soon, status
from tests.local.balancers.targets import TargetServer
from tests.waiting import free_port
from tyrell.local.balancers import config

LOOKED_AT = ("HealthyHostCount", "UnHealthyHostCount")


@pytest.fixture
def counting(proxy: ToldProxy) -> ToldProxy:
    """The proxy, with all that was measured before forgotten."""
    proxy.measured()
    return proxy


def counted(proxy: ToldProxy) -> dict[str, int]:
    """Samples by metric since the last call, of events only."""
    return {metric: count for metric, count in proxy.measured().items() if metric not in LOOKED_AT}


async def eventually_counted(proxy: ToldProxy, expected: dict[str, int]) -> None:
    """Wait until exactly this was counted: a request is counted a moment after its last byte."""
    total: Counter[str] = Counter()

    def look() -> dict[str, int]:
        total.update(counted(proxy))
        return dict(total)

    await soon(look, lambda seen: seen == expected)


async def test_an_answer_of_a_target_counts_by_its_class(
    counting: ToldProxy, blue: TargetServer, client: ClientSession
) -> None:
    counting.tell(group(blue))
    blue.health = 503
    answers = [await status(client, path) for path in ("/", "/answer/301", "/answer/404", "/answer/500", "/health")]
    assert answers == [200, 301, 404, 500, 503]
    await eventually_counted(
        counting,
        {
            "RequestCount": 5,
            "TargetResponseTime": 5,
            "HTTPCode_Target_2XX_Count": 1,
            "HTTPCode_Target_3XX_Count": 1,
            "HTTPCode_Target_4XX_Count": 1,
            "HTTPCode_Target_5XX_Count": 2,
        },
    )


async def test_what_the_balancer_answers_by_itself_is_no_request_of_a_target(
    counting: ToldProxy, client: ClientSession
) -> None:
    gone = config.Rule(
        arn="gone",
        conditions=(config.Condition(field="path-pattern", values=("/gone",)),),
        action=config.FixedResponse(status=410),
    )
    counting.tell(group(), rules=(gone,))
    assert [await status(client, path) for path in ("/", "/gone")] == [503, 410]
    await eventually_counted(counting, {"HTTPCode_ELB_5XX_Count": 1, "HTTPCode_ELB_4XX_Count": 1})


async def test_a_request_whose_target_cannot_be_connected_is_a_request_and_an_error_of_the_balancer(
    counting: ToldProxy, client: ClientSession
) -> None:
    gone = TargetServer("gone")
    gone.address = next_address()
    gone.port = free_port(gone.address)
    counting.tell(group(gone))
    assert await status(client) == 502
    await eventually_counted(
        counting, {"RequestCount": 1, "TargetConnectionErrorCount": 1, "HTTPCode_ELB_5XX_Count": 1}
    )


async def test_a_target_that_dies_over_a_request_made_no_answer(
    counting: ToldProxy, blue: TargetServer, client: ClientSession
) -> None:
    counting.tell(group(blue))
    assert await status(client, "/broken") == 502
    await eventually_counted(counting, {"RequestCount": 1, "HTTPCode_ELB_5XX_Count": 1})


async def test_a_client_that_leaves_before_the_answer_is_an_error_of_the_client(
    counting: ToldProxy, blue: TargetServer, client: ClientSession
) -> None:
    counting.tell(group(blue))
    with suppress(TimeoutError):
        await client.get("/held", timeout=ClientTimeout(total=0.1))
    await eventually_counted(counting, {"RequestCount": 1, "HTTPCode_ELB_4XX_Count": 1})


async def test_a_request_that_is_ended_with_the_draining_of_its_target_is_an_error_of_the_balancer(
    counting: ToldProxy, blue: TargetServer, client: ClientSession
) -> None:
    counting.tell(group(blue))
    held = asyncio.create_task(status(client, "/held", "POST"))
    await soon(blue.started.is_set)
    counting.tell(group(blue, draining=True, deregistration_delay=0.1))
    with pytest.raises(ServerDisconnectedError):
        await held
    await eventually_counted(counting, {"RequestCount": 1, "HTTPCode_ELB_5XX_Count": 1})


async def test_a_websocket_counts_only_when_its_target_refuses_it(
    counting: ToldProxy, blue: TargetServer, client: ClientSession
) -> None:
    counting.tell(group(blue))
    async with client.ws_connect("/ws") as socket:
        await socket.send_str("goodbye")
        assert (await socket.receive(timeout=2)).type is WSMsgType.CLOSE
    await soon(lambda: counting.target(blue).in_flight, lambda count: count == 0)
    assert counted(counting) == {}
    with pytest.raises(WSServerHandshakeError):
        await client.ws_connect("/answer/403")
    await eventually_counted(counting, {"RequestCount": 1, "TargetResponseTime": 1, "HTTPCode_Target_4XX_Count": 1})


async def test_a_websocket_that_its_client_drops_is_no_failed_request(
    counting: ToldProxy, blue: TargetServer, client: ClientSession
) -> None:
    counting.tell(group(blue))
    async with ClientSession(counting.url) as leaving:
        await leaving.ws_connect("/ws")
        await soon(lambda: counting.target(blue).in_flight, lambda count: count == 1)
    await soon(lambda: counting.target(blue).in_flight, lambda count: count == 0)
    assert counted(counting) == {}


async def test_only_registered_targets_are_healthy_or_unhealthy_hosts(
    counting: ToldProxy, blue: TargetServer, green: TargetServer
) -> None:
    green.health = 500
    counting.tell(group(blue, green))
    await soon(lambda: {counting.target(each).state for each in (blue, green)}, lambda s: s == {"healthy", "unhealthy"})
    counting.measured()
    hosts = {each.metric: each.counts for each in counting.process.take_samples()}
    assert hosts == {"HealthyHostCount": {1: 1}, "UnHealthyHostCount": {1: 1}}
    counting.tell(group(blue, green, draining=True))
    hosts = {each.metric: each.counts for each in counting.process.take_samples()}
    assert hosts == {"HealthyHostCount": {0: 1}, "UnHealthyHostCount": {0: 1}}
