"""The client against a real etcd."""

import asyncio

import pytest

from link.shared.etcd import Change, Etcd, EtcdRefused, EtcdUnavailable, absent, putting, unchanged, unwritten_since
from tests.link.etcd_server import HOST, line_to
from tests.link.waiting import eventually
from tests.waiting import free_port


async def test_what_is_put_is_read_back_until_it_is_deleted(etcd: Etcd) -> None:
    revision = await etcd.put("/a/käse", '{"x":"ü"}')
    record = await etcd.get("/a/käse")
    assert record is not None
    assert (record.key, record.value, record.mod_revision, record.version) == ("/a/käse", '{"x":"ü"}', revision, 1)
    assert await etcd.delete("/a/käse") is True
    assert await etcd.delete("/a/käse") is False
    assert await etcd.get("/a/käse") is None


async def test_several_prefixes_are_read_at_one_revision(etcd: Etcd) -> None:
    for key in ("/a/1", "/a/2", "/b/1", "/c/1"):
        last = await etcd.put(key, key)
    snapshot = await etcd.read("/a/", "/b/")
    assert sorted(snapshot.records) == ["/a/1", "/a/2", "/b/1"]
    assert snapshot.revision == last


async def test_a_transaction_is_done_only_if_every_compare_holds(etcd: Etcd) -> None:
    assert await etcd.transact([absent("/t/1")], [putting("/t/1", "one")])
    assert not await etcd.transact([absent("/t/1")], [putting("/t/1", "two")])
    record = await etcd.get("/t/1")
    assert record is not None
    assert record.value == "one"
    await etcd.put("/t/2", "new")
    assert await etcd.transact([unchanged(record)], [putting("/t/3", "yes")])
    assert not await etcd.transact([unwritten_since("/t/", record.mod_revision)], [putting("/t/4", "no")])
    assert await etcd.get("/t/4") is None


async def test_a_key_goes_with_its_lease(etcd: Etcd) -> None:
    lease = await etcd.grant(60)
    await etcd.put("/leased", "x", lease)
    assert await etcd.keep_alive(lease)
    await etcd.revoke(lease)
    await etcd.revoke(lease)
    assert await etcd.get("/leased") is None
    assert not await etcd.keep_alive(lease)
    with pytest.raises(EtcdRefused, match="lease not found"):
        await etcd.put("/leased", "x", lease)


async def test_a_watch_tells_every_change_since_its_revision(etcd: Etcd) -> None:
    first = await etcd.put("/w/before", "seen as well")
    seen: list[Change] = []

    async def watch() -> None:
        async for change in etcd.watch(["/w/", "/v"], first):
            seen.append(change)

    watching = asyncio.create_task(watch())
    await etcd.put("/v", "1")
    await etcd.put("/elsewhere", "not seen")
    await etcd.delete("/w/before")

    async def three() -> bool:
        return len(seen) == 3

    await eventually("three changes", three)
    watching.cancel()
    assert {(change.key, change.record and change.record.value) for change in seen} == {
        ("/w/before", "seen as well"),
        ("/v", "1"),
        ("/w/before", None),
    }


async def test_a_silent_watch_and_one_from_a_compacted_revision_both_end(etcd: Etcd) -> None:
    revision = await etcd.put("/w/1", "x")
    last = await etcd.put("/w/1", "y")
    assert [change async for change in etcd.watch(["/w/"], last + 1, quiet=0.2)] == []
    await etcd._members.post("/v3/kv/compaction", {"revision": str(last)})
    async with asyncio.timeout(3):
        assert [change async for change in etcd.watch(["/w/"], revision, quiet=10)] == []


async def test_the_members_are_learnt_so_those_of_the_start_may_all_go(etcd_port: int) -> None:
    dead, seed_port = f"http://{HOST}:{free_port(HOST)}", free_port(HOST)
    client = Etcd([dead, f"http://{HOST}:{seed_port}"])
    async with line_to(etcd_port, seed_port) as seed:
        await client.put("/x", "y")
        assert f"http://{HOST}:{etcd_port}" in client.endpoints
        await seed.cut()
        await client.put("/x", "z")
        assert client.endpoints[0] == f"http://{HOST}:{etcd_port}"
    await client.close()


async def test_without_any_member_one_sentence_says_which_were_asked() -> None:
    dead = [f"http://{HOST}:{free_port(HOST)}" for _ in range(2)]
    client = Etcd(dead)
    with pytest.raises(EtcdUnavailable, match=f"etcd does not answer .*{dead[0]}.*{dead[1]}"):
        await client.get("/x")
    await client.close()
