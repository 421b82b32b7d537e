"""The tenant management API over real targets."""

import aiohttp

from link.shared.etcd import Etcd
from link.shared.records import TARGETS, Peer
from tests.link.processes import Stack
from tests.link.waiting import eventually


async def scale(http: aiohttp.ClientSession, api: str, tenant: str, size: str) -> int:
    """Ask for a size; return the status."""
    async with http.put(f"{api}/tenants/{tenant}/scale", data={"size": size}) as response:
        return response.status


async def start(stack: Stack, etcd: Etcd, targets: int) -> str:
    """Start registered targets and a tenant API; return its URL."""
    for _ in range(targets):
        await stack.target()

    async def all_registered() -> bool:
        return len((await etcd.read(TARGETS)).records) == targets

    await eventually(f"{targets} targets are registered", all_registered)
    return await stack.tenant_api()


async def test_a_tenant_grows_as_far_as_there_are_free_targets(
    stack: Stack, etcd: Etcd, http: aiohttp.ClientSession
) -> None:
    api = await start(stack, etcd, targets=3)
    assert await scale(http, api, "acme", "2") == 204
    assert await scale(http, api, "acme", "2") == 202
    assert await scale(http, api, "acme", "3") == 204
    async with http.put(f"{api}/tenants/acme/scale", data={"size": "4"}) as response:
        assert response.status == 500
        assert await response.json() == {"error": "tenant acme needs 1 more targets, only 0 are free"}
    async with http.get(f"{api}/tenants/acme") as response:
        assert (await response.json())["targets"] == 3
    async with http.get(api) as response:
        counts = await response.json()
    assert counts == {
        "version": "v1",
        "tenants": 1,
        "targets": 3,
        "allocated": 3,
        "available": 0,
        "totalPeers": 0,
    }


async def test_what_makes_no_sense_is_refused_with_a_reason(
    stack: Stack, etcd: Etcd, http: aiohttp.ClientSession
) -> None:
    api = await start(stack, etcd, targets=0)
    for size in ("1", "", "-2", "two"):
        async with http.put(f"{api}/tenants/acme/scale", data={"size": size}) as response:
            assert response.status == 500
            assert await response.json() == {"error": f"size must be a whole number of at least 2, not {size!r}"}
    for method, path in (("GET", "/tenants/nobody"), ("DELETE", "/tenants/nobody")):
        async with http.request(method, api + path) as response:
            assert response.status == 404
    async with http.get(f"{api}/tenants") as response:
        assert await response.json() == {"tenants": []}


async def test_scaling_down_and_eviction_restart_the_targets(
    stack: Stack, etcd: Etcd, http: aiohttp.ClientSession
) -> None:
    """Nothing starts these targets again, so their records just go."""
    api = await start(stack, etcd, targets=3)
    assert await scale(http, api, "acme", "3") == 204
    assert await scale(http, api, "acme", "2") == 204
    assert len((await etcd.read(TARGETS)).records) == 2
    peer = Peer("hub1", "acme", "http://10.0.0.1:3001", "2026-01-01T00:00:00.000Z")
    await etcd.put(peer.key, peer.to_json())
    async with http.delete(f"{api}/tenants/acme") as response:
        assert response.status == 500
        assert await response.json() == {"error": "tenant acme still has 1 connected peers"}
    await etcd.delete(peer.key)
    async with http.delete(f"{api}/tenants/acme") as response:
        assert response.status == 200
    assert (await etcd.read(TARGETS)).records == {}


async def test_the_api_is_healthy_while_it_can_read_etcd(stack: Stack, http: aiohttp.ClientSession) -> None:
    async with http.get(f"{await stack.tenant_api()}/health") as response:
        assert (response.status, await response.json()) == (200, {"status": "ok", "etcd": "answers"})
