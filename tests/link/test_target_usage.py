"""What a target tells about its tenant's hubs."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.link.asking import TENANT
from tests.link.bare_websocket import BareWebSocket
from tests.link.processes import Stack
from tests.link.statsd_agent import Agent, statsd_agent

HUB = ",tenantId=acme,targetName=hub1"


@pytest.fixture
async def agent() -> AsyncIterator[Agent]:
    """Keeps what it is told."""
    async with statsd_agent() as listening:
        yield listening


async def test_what_a_hub_sends_counts_as_its_tenants_messages_and_bytes(
    stack: Stack, agent: Agent, http: aiohttp.ClientSession
) -> None:
    url = await stack.target(STATSD_HOST=agent.address)
    async with http.ws_connect(f"{url}/peers/hub1", headers={TENANT: "acme"}) as hub:
        await agent.told(f"link.targets.hub.connected{HUB}:1|c")
        await hub.send_str("twelve bytes")
        await hub.send_bytes(b"\0" * 100)
        await agent.told(f"linkusage.hub.messages.bytes{HUB}:100|c")
        assert f"linkusage.hub.messages.bytes{HUB}:12|c" in agent.lines
        assert agent.lines.count(f"linkusage.hub.messages.count{HUB}:1|c") == 2
    await agent.told(f"link.targets.hub.end{HUB}:1|c")


async def test_a_hub_whose_connection_breaks_counts_as_an_error(stack: Stack, agent: Agent) -> None:
    hub = await BareWebSocket.connect(await stack.target(STATSD_HOST=agent.address), "/peers/hub1", f"{TENANT}: acme")
    hub.break_off()
    await agent.told(f"link.targets.hub.error{HUB}:1|c")
    assert not [line for line in agent.lines if ".end" in line]


async def test_requests_to_its_server_count_those_to_others_and_to_its_own_root_do_not(
    stack: Stack, agent: Agent, http: aiohttp.ClientSession
) -> None:
    url = await stack.target(STATSD_HOST=agent.address)
    server = f"cloud-{url.rpartition(':')[2]}"
    headers = {TENANT: "acme"}
    for path in ("/", "/servers/another", f"/servers/{server}", f"/servers/{server}/devices/none"):
        async with http.get(url + path, headers=headers):
            pass
    async with http.post(f"{url}/servers/{server}/devices/light-1", data={"action": "turn-off"}, headers=headers):
        counted = f"linkusage.hub.http.count,tenantId=acme,targetName={server},reqType=proxy:1|c"
        await agent.told(counted)
    assert agent.lines == [counted] * 3


async def test_nothing_counts_while_nobody_knows_the_tenant(
    stack: Stack, agent: Agent, http: aiohttp.ClientSession
) -> None:
    url = await stack.target(STATSD_HOST=agent.address)
    async with http.get(f"{url}/servers/cloud-{url.rpartition(':')[2]}") as response:
        assert response.status == 200
    async with http.ws_connect(f"{url}/peers/hub1", headers={TENANT: "acme"}):
        await agent.told(f"link.targets.hub.connected{HUB}:1|c")
    assert not [line for line in agent.lines if "http.count" in line]


async def test_pings_of_hubs_count(stack: Stack, agent: Agent, http: aiohttp.ClientSession) -> None:
    url = await stack.target(STATSD_HOST=agent.address, PING_INTERVAL="0.1")
    async with http.ws_connect(f"{url}/peers/hub1", headers={TENANT: "acme"}, autoping=False) as hub:
        assert (await hub.receive(timeout=10)).type is aiohttp.WSMsgType.PING
        await agent.told(f"linkusage.hub.spdypings.count{HUB}:1|c")
