"""The door to a stack's etcd, against a real one."""

from __future__ import annotations

import pytest

from tasks.errors import EtcdUnreachable
from tasks.etcd import Etcd, Record, delete, made_at, put, unchanged
from tests.link.etcd_server import HOST
from tests.waiting import eventually


@pytest.fixture
def etcd(etcd_port: int) -> Etcd:
    """The door, with nothing behind it."""
    door = Etcd("lab", (HOST,), etcd_port)
    for record in door.list("/"):
        door.transact([], [delete(record.key)])
    return door


def test_what_is_put_is_read_back_with_its_revisions_until_it_is_deleted(etcd: Etcd) -> None:
    assert etcd.get("/a/käse") == Record("/a/käse", "")
    assert etcd.transact([], [put("/a/käse", "ü")])
    first = etcd.get("/a/käse")
    assert (first.value, first.revision) == ("ü", first.created)
    assert etcd.transact([], [put("/a/käse", "")])
    second = etcd.get("/a/käse")
    assert (second.value, second.created) == ("", first.created)
    assert second.revision > first.revision
    assert etcd.transact([], [delete("/a/käse")])
    assert etcd.get("/a/käse") == Record("/a/käse", "")


def test_a_prefix_is_listed_in_order_and_nothing_beside_it(etcd: Etcd) -> None:
    for key in ("/a/2", "/a/1", "/a", "/a0", "/b/1"):
        etcd.transact([], [put(key, key)])
    assert [record.key for record in etcd.list("/a/")] == ["/a/1", "/a/2"]
    assert etcd.list("/none/") == ()


def test_a_transaction_is_done_wholly_or_not_at_all(etcd: Etcd) -> None:
    assert etcd.transact([made_at("/x", 0)], [put("/x", "1"), put("/y", "1")])
    seen = etcd.get("/x")
    assert not etcd.transact([made_at("/x", 0)], [put("/x", "2"), delete("/y")])
    assert not etcd.transact([unchanged(seen), made_at("/y", 0)], [put("/x", "2")])
    assert (etcd.get("/x"), etcd.get("/y").value) == (seen, "1")


def test_unchanged_sees_a_write_and_made_at_only_a_new_key(etcd: Etcd) -> None:
    etcd.transact([], [put("/x", "1")])
    seen = etcd.get("/x")
    etcd.transact([], [put("/x", "1")])
    assert not etcd.transact([unchanged(seen)], [])
    assert etcd.transact([made_at("/x", seen.created)], [])
    etcd.transact([], [delete("/x")])
    etcd.transact([], [put("/x", "1")])
    assert not etcd.transact([made_at("/x", seen.created)], [])


def test_a_key_goes_when_its_lease_is_revoked(etcd: Etcd) -> None:
    lease = etcd.grant(60)
    etcd.transact([], [put("/leased", "x", lease)])
    assert 55 < etcd.seconds_left(lease) <= 60
    assert etcd.keep_alive(lease)
    etcd.revoke(lease)
    assert etcd.get("/leased").created == 0
    assert (etcd.keep_alive(lease), etcd.seconds_left(lease)) == (False, -1)


def test_a_key_goes_when_nobody_renews_its_lease(etcd: Etcd) -> None:
    lease = etcd.grant(1)
    etcd.transact([], [put("/leased", "x", lease)])
    eventually("the key goes", lambda: etcd.get("/leased").created == 0)


def test_revoking_a_lease_that_has_ended_is_fine(etcd: Etcd) -> None:
    lease = etcd.grant(60)
    etcd.revoke(lease)
    etcd.revoke(lease)
    assert etcd.seconds_left(lease) == -1


def test_a_dead_member_is_passed_over(etcd_port: int) -> None:
    door = Etcd("lab", ("127.46.0.9", HOST), etcd_port)
    assert door.transact([], [put("/x", "1")])
    assert door.members() == ("default",)


@pytest.mark.parametrize(
    ("addresses", "sentence"),
    [
        ((), r"etcd of stack lab is unreachable \(no running member found\): no member is known"),
        (("127.46.0.9",), r"etcd of stack lab is unreachable \(127.46.0.9:\d+\): nobody accepts the connection"),
    ],
)
def test_no_member_at_all_is_said_with_the_addresses_tried(
    etcd_port: int, addresses: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(EtcdUnreachable, match=sentence):
        Etcd("lab", addresses, etcd_port).get("/x")
