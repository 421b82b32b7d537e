"""Targets given to tenants, in a real etcd."""

import asyncio
from collections import Counter

from link.shared.etcd import Etcd
from link.shared.records import TARGETS, VERSION_KEY, Target
from link.tenancy.allocation import allocate

CREATED = "2026-01-01T00:00:00.000Z"


async def register(etcd: Etcd, *authorities: str, version: str = "v1") -> int:
    """Register free targets under one lease and return it."""
    lease = await etcd.grant(60)
    for authority in authorities:
        target = Target(f"http://{authority}", CREATED, version)
        await etcd.put(target.key, target.to_json(), lease)
    return lease


async def give(etcd: Etcd, tenant: str, size: int) -> list[str]:
    """Allocate with every target counted and usable; return the URLs."""
    held = await allocate(etcd, tenant, size, counts=lambda _: True, usable=lambda _: True)
    return sorted(target.url for target in held)


def test_a_record_is_byte_for_byte_what_other_components_expect() -> None:
    free = Target("http://10.0.0.7:3001", CREATED, "abc")
    assert free.key == "/services/zetta/10.0.0.7:3001"
    assert free.to_json() == (
        '{"type":"cloud-target","url":"http://10.0.0.7:3001","created":"2026-01-01T00:00:00.000Z","version":"abc"}'
    )
    assert free.given_to("acme").to_json() == (
        '{"type":"cloud-target","tenantId":"acme","url":"http://10.0.0.7:3001",'
        '"created":"2026-01-01T00:00:00.000Z","version":"abc"}'
    )
    assert Target.from_json(free.given_to("acme").to_json()) == free.given_to("acme")


def test_what_is_not_a_record_is_no_target() -> None:
    assert [Target.from_json(text) for text in ("", "[]", "7", '{"url":"http://a:1"}')] == [None] * 4


async def test_an_allocated_target_keeps_its_lease_and_disappears_with_it(etcd: Etcd) -> None:
    await etcd.put(VERSION_KEY, '{"version":"v1"}')
    lease = await register(etcd, "10.0.0.1:3001")
    assert await give(etcd, "acme", 2) == ["http://10.0.0.1:3001"]
    record = await etcd.get(f"{TARGETS}10.0.0.1:3001")
    assert record is not None
    assert record.lease == lease
    assert '"tenantId":"acme"' in record.value
    await etcd.revoke(lease)
    assert await etcd.get(f"{TARGETS}10.0.0.1:3001") is None


async def test_a_tenant_gets_targets_on_different_hosts_and_only_of_the_live_version(etcd: Etcd) -> None:
    await etcd.put(VERSION_KEY, '{"version":"v1"}')
    await register(etcd, "10.0.0.1:3001", "10.0.0.1:3002", "10.0.0.1:3003", "10.0.0.2:3001")
    await register(etcd, "10.0.0.3:3001", version="v2")
    assert await give(etcd, "acme", 2) == ["http://10.0.0.1:3001", "http://10.0.0.2:3001"]
    assert await give(etcd, "acme", 2) == ["http://10.0.0.1:3001", "http://10.0.0.2:3001"]
    assert await give(etcd, "late", 9) == ["http://10.0.0.1:3002", "http://10.0.0.1:3003"]


async def test_routers_that_allocate_at_once_never_share_a_target_nor_give_too_many(etcd: Etcd) -> None:
    await etcd.put(VERSION_KEY, '{"version":"v1"}')
    await register(etcd, *(f"10.0.0.{host}:{port}" for host in (1, 2) for port in range(3001, 3006)))
    routers = [Etcd(etcd.endpoints) for _ in range(2)]
    tenants = ["acme", "bolt", "cuba"]
    await asyncio.gather(*(give(router, tenant, 2) for tenant in tenants for router in routers))
    records = (await etcd.read(TARGETS)).records.values()
    owners = Counter(target.tenant for record in records if (target := Target.from_json(record.value)))
    assert owners == {"acme": 2, "bolt": 2, "cuba": 2, None: 4}
    for router in routers:
        await router.close()


async def test_a_target_that_does_not_answer_is_neither_given_nor_counted(etcd: Etcd) -> None:
    await etcd.put(VERSION_KEY, '{"version":"v1"}')
    await register(etcd, "10.0.0.1:3001", "10.0.0.2:3001")
    held = await allocate(etcd, "acme", 2, counts=lambda _: True, usable=lambda one: one.host == "10.0.0.2")
    assert [target.url for target in held] == ["http://10.0.0.2:3001"]
    again = await allocate(etcd, "acme", 1, counts=lambda one: one.host != "10.0.0.2", usable=lambda _: True)
    assert [target.url for target in again] == ["http://10.0.0.1:3001"]
