"""What goes out to the statsd agent, and that nothing ever comes back."""

from collections.abc import AsyncIterator

import pytest

from link.shared.environment import Environment, SettingError
from link.shared.statsd import Statsd, open_statsd
from tests.link.statsd_agent import Agent, statsd_agent

MACHINE = {"COREOS_PRIVATE_IPV4": "127.31.0.1"}


@pytest.fixture
async def agent() -> AsyncIterator[Agent]:
    """Keeps what it is told."""
    async with statsd_agent() as listening:
        yield listening


def opened(agent: Agent) -> Statsd:
    """A client as the services open it."""
    return open_statsd(Environment(MACHINE | {"STATSD_HOST": agent.address}))


async def test_metrics_have_their_tags_as_telegraf_reads_them(agent: Agent) -> None:
    statsd = opened(agent)
    statsd.count("linkusage.hub.messages.bytes", 40, tenantId="acme", targetName="hub 1")
    statsd.gauge("link.targets.unallocated", 3)
    statsd.timing("http.req.root", 0.0125, tenant="acme")
    await agent.told("http.req")
    assert agent.lines == [
        "linkusage.hub.messages.bytes,tenantId=acme,targetName=hub_1:40|c",
        "link.targets.unallocated:3|g",
        "http.req.root,tenant=acme:12.500|ms",
    ]


async def test_a_tags_value_can_not_become_another_tag_or_another_metric(agent: Agent) -> None:
    opened(agent).count("http.req.root.status.2xx", tenant="a,b=c:5|g\nd\udcff")
    assert await agent.told("http") == "http.req.root.status.2xx,tenant=a_b_c_5_g_d?:1|c"


@pytest.mark.parametrize("address", [("127.31.0.1", 9), ("240.0.0.1", 8125)])
def test_a_metric_that_nobody_takes_disturbs_nobody(address: tuple[str, int]) -> None:
    statsd = Statsd(address)
    for _ in range(100):
        statsd.count("http.req.root.status.2xx")
    statsd.close()
    statsd.count("http.req.root.status.2xx")


@pytest.mark.parametrize("text", ["localhost:8125", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:x", "127.0.0.1:70000"])
def test_an_agent_is_named_by_address_and_port(text: str) -> None:
    sentence = rf"^environment variable STATSD_HOST must be an IPv4 address:port, not '{text}'$"
    with pytest.raises(SettingError, match=sentence):
        open_statsd(Environment(MACHINE | {"STATSD_HOST": text}))
