"""Two versions of targets: what clients notice when the live one is switched and the other one is restarted."""

import asyncio
import contextlib
import itertools
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest

from link.shared.etcd import Etcd
from link.shared.records import VERSION_KEY
from tests.link.asking import TENANT
from tests.link.etcd_server import HOST
from tests.link.processes import kept_running, service_variables
from tests.link.waiting import eventually

pytestmark = pytest.mark.cloud

TENANTS = ("acme", "bolt", "cube")
MACHINES = {"v1": ("127.42.1.1", "127.42.1.2"), "v2": ("127.42.2.1", "127.42.2.2")}
TARGETS_PER_MACHINE = 3
BETWEEN_REQUESTS = 0.01
SWITCHES = 6


@dataclass
class Load:
    """Requests of every tenant to every router, one after the other, and their answers."""

    routers: list[str]
    answers: list[tuple[str, int, dict[str, Any]]] = field(default_factory=list)

    @contextlib.asynccontextmanager
    async def running(self, http: aiohttp.ClientSession) -> AsyncIterator[None]:
        """Ask until the end of the block; what went wrong, if anything, is raised there."""
        asking = [asyncio.create_task(self._ask(http, *pair)) for pair in itertools.product(self.routers, TENANTS)]
        try:
            yield
        finally:
            for task in asking:
                task.cancel()
            ended = await asyncio.gather(*asking, return_exceptions=True)
        assert [error for error in ended if not isinstance(error, asyncio.CancelledError)] == []

    async def _ask(self, http: aiohttp.ClientSession, router: str, tenant: str) -> None:
        while True:
            async with http.get(router, headers={TENANT: tenant}) as response:
                body = await response.json()
                self.answers.append((tenant, response.status, body.get("properties", body)))
            await asyncio.sleep(BETWEEN_REQUESTS)

    async def await_own_targets(self, version: str) -> None:
        """Wait until every tenant is answered by a target of this version that knows itself to be this tenant's."""
        before = len(self.answers)

        async def all_answered() -> bool:
            answers = [said for _, _, said in self.answers[before:]]
            return {said["tenantId"] for said in answers if said["version"] == version} >= set(TENANTS)

        await eventually(f"every tenant is answered by a target of {version} of its own", all_answered, timeout=30)

    def strangers(self) -> list[tuple[str, dict[str, Any]]]:
        """The answers of targets that belonged to another tenant. A target learns its own one a little later."""
        return [(tenant, said) for tenant, _, said in self.answers if said.get("tenantId") not in (None, tenant)]


async def start_targets(running: contextlib.AsyncExitStack, etcd_hosts: str, version: str) -> list[str]:
    """Start the version's targets, each a process; return their URLs."""
    urls = []
    for machine in MACHINES[version] * TARGETS_PER_MACHINE:
        variables = service_variables(etcd_hosts, "MAPPED_PORT", machine) | {"VERSION": version, "LEASE_TTL": "3"}
        await running.enter_async_context(kept_running("link.target", variables))
        urls.append(f"http://{machine}:{variables['MAPPED_PORT']}")
    return urls


async def restart(http: aiohttp.ClientSession, targets: list[str]) -> None:
    """Restart the targets, all at once."""

    async def restart_one(target: str) -> None:
        async with http.delete(f"{target}/restart") as response:
            assert response.status == 204

    await asyncio.gather(*(restart_one(target) for target in targets))


async def await_free(http: aiohttp.ClientSession, router: str, targets: list[str]) -> None:
    """Wait until the router sees these targets up and nobody's."""

    async def all_free() -> bool:
        seen: dict[str, tuple[str, str | None]] = {}
        with contextlib.suppress(aiohttp.ClientConnectorError):  # it is starting
            async with http.get(f"{router}/state") as response:
                targets_seen = (await response.json())["targets"]
            seen = {one["url"]: (one["state"], one["tenantId"]) for one in targets_seen}
        return all(seen.get(target) == ("UP", None) for target in targets)

    await eventually(f"{router} sees {targets} free", all_free, timeout=30)


async def test_no_request_fails_while_the_version_is_switched_and_the_old_targets_restart(
    etcd: Etcd, etcd_port: int, http: aiohttp.ClientSession
) -> None:
    hosts = f"{HOST}:{etcd_port}"
    await etcd.put(VERSION_KEY, '{"version":"v1"}')
    async with contextlib.AsyncExitStack() as running:
        targets = {version: await start_targets(running, hosts, version) for version in MACHINES}
        routers = []
        for _ in range(2):
            variables = service_variables(hosts, "PORT", "127.42.3.1") | {"MONITOR_INTERVAL": "0.5"}
            await running.enter_async_context(kept_running("link.router", variables))
            routers.append(f"http://127.42.3.1:{variables['PORT']}")
        load = Load(routers)
        for router in routers:
            await await_free(http, router, targets["v1"] + targets["v2"])
        async with load.running(http):
            for old, new in itertools.islice(itertools.cycle([("v1", "v2"), ("v2", "v1")]), SWITCHES):
                await etcd.put(VERSION_KEY, f'{{"version":"{new}"}}')
                await load.await_own_targets(new)
                await restart(http, targets[old])
                for router in routers:
                    await await_free(http, router, targets[old])
    assert Counter(status for _, status, _ in load.answers) == {200: len(load.answers)}
    assert len(load.answers) > 1000
    assert load.strangers() == []
