"""What a router tells about the requests it passes on."""

import re

import aiohttp

from tests.link.asking import TENANT, await_up
from tests.link.processes import Stack
from tests.link.statsd_agent import statsd_agent


async def test_a_router_counts_and_times_requests_by_tenant_kind_and_status(
    stack: Stack, http: aiohttp.ClientSession
) -> None:
    async with statsd_agent() as agent:
        target = await stack.target()
        router = await stack.router(STATSD_HOST=agent.address)
        await await_up(http, router, [target])
        tags = f",routerHost={router.split('/')[2].split(':')[0]},tenant=acme:"
        for path, metric in {
            "/": "http.req.root.status.2xx",
            "/?ql=where%20type=%22light%22": "http.req.query.status.2xx",
            "/servers/nowhere": "http.req.proxy.status.4xx",
            "/peer-management": "http.req.peer-management.status.4xx",  # which these targets do not have
        }.items():
            async with http.get(router + path, headers={TENANT: "acme"}):
                assert await agent.told(metric + tags) == f"{metric}{tags}1|c"
        milliseconds = re.fullmatch(rf"http\.req\.root{tags}(\d+\.\d+)\|ms", await agent.told(f"http.req.root{tags}"))
        assert milliseconds
        assert 0 < float(milliseconds[1]) < 20_000
        assert not [line for line in agent.lines if "tenant=acme" not in line]  # health checks, /state


async def test_a_request_that_no_target_answers_counts_as_failed(stack: Stack, http: aiohttp.ClientSession) -> None:
    async with statsd_agent() as agent:
        router = await stack.router(STATSD_HOST=agent.address)
        async with http.get(router, headers={TENANT: "acme"}) as response:
            assert response.status == 503
        await agent.told("http.req.root.status.5xx")


async def test_open_websockets_are_gauged_by_tenant_until_the_last_one_has_gone(
    stack: Stack, http: aiohttp.ClientSession
) -> None:
    async with statsd_agent() as agent:
        target = await stack.target()
        router = await stack.router(STATSD_HOST=agent.address, METRICS_INTERVAL="0.1")
        await await_up(http, router, [target])
        headers = {TENANT: "acme"}
        tags = f",routerHost={router.split('/')[2].split(':')[0]},tenant=acme:"
        async with (
            http.ws_connect(f"{router}/peers/hub1", headers=headers),
            http.ws_connect(f"{router}/peers/hub2", headers=headers),
            http.ws_connect(f"{router}/events", headers=headers),
        ):
            await agent.told(f"http.req.peer.status.1xx{tags}1|c")
            await agent.told(f"http.req.event.status.1xx{tags}1|c")
            await agent.told(f"ws.peers{tags}2|g")
            await agent.told(f"ws.event{tags}1|g")
        await agent.told(f"ws.peers{tags}0|g")
        await agent.told(f"ws.event{tags}0|g")
        assert not [line for line in agent.lines if line.startswith("http.req.peer,")]  # how long it was open
