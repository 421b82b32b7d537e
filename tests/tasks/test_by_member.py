"""Whether etcd has all it had, seen by its history, against a real one."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tasks.by_member import compare
from tasks.core_services import find_etcd
from tasks.errors import DataLost
from tasks.etcd import Contents, Etcd, delete, put
from tests.link.etcd_server import HOST, etcd_server
from tests.tasks.stack_etcd import STACK, stack_etcd
from tests.waiting import free_port

KEYS = {"/zetta/version": "1", "/router/zetta/a/1": "up", "/tyrell/bad/router/2": "it failed"}


@pytest.fixture(scope="module")
def here() -> Iterator[Etcd]:
    """The stack's etcd."""
    with stack_etcd():
        yield find_etcd(STACK)


@pytest.fixture
def filled(here: Etcd) -> Etcd:
    """With KEYS in it and nothing else."""
    here.transact([], [delete(key) for key in here.contents().digests])
    here.transact([], [put(key, value) for key, value in KEYS.items()])
    return here


def test_the_contents_are_all_keys_and_a_digest_that_tells_their_values_apart(filled: Etcd) -> None:
    before = filled.contents()
    assert set(before.digests) == set(KEYS)
    filled.transact([], [put("/zetta/version", "2")])
    assert filled.contents().digest != before.digest
    filled.transact([], [put("/zetta/version", "1")])
    assert filled.contents().digest == before.digest
    assert filled.contents().revision == before.revision + 2


def test_what_somebody_writes_and_deletes_meanwhile_is_no_loss(filled: Etcd) -> None:
    before = filled.contents()
    filled.transact([], [put("/zetta/version", "2"), delete("/router/zetta/a/1"), put("/new", "x")])
    assert compare(STACK, before) == filled.contents() != before


def test_a_key_that_went_when_its_lease_ended_is_no_loss(filled: Etcd) -> None:
    lease = filled.grant(60)
    filled.transact([], [put("/leased", "x", lease)])
    before = filled.contents()
    filled.revoke(lease)
    now = compare(STACK, before)
    assert isinstance(now, Contents)
    assert "/leased" not in now.digests


def test_an_etcd_that_was_formed_anew_is_seen_by_what_it_lacks(filled: Etcd) -> None:
    port = free_port(HOST)
    with etcd_server(port):
        other = Etcd("lab", (HOST,), port)
        other.transact([], [put(key, value) for key, value in (KEYS | {"/zetta/version": "0", "/mine": "1"}).items()])
        before = other.contents()
    with pytest.raises(DataLost) as loss:
        compare(STACK, before)
    assert set(loss.value.problems) >= {"/mine is gone"}


def test_a_key_with_another_past_than_it_had_is_a_loss(filled: Etcd) -> None:
    before = filled.contents()
    other = before._replace(digests=before.digests | {"/zetta/version": "another"})
    with pytest.raises(DataLost, match="etcd of stack lab lost data: /zetta/version has another value;"):
        compare(STACK, other)


def test_an_etcd_that_is_behind_has_lost_something(filled: Etcd) -> None:
    before = filled.contents()
    ahead = before._replace(revision=before.revision + 100)
    with pytest.raises(DataLost, match=f"it was at revision {ahead.revision} and is behind that now"):
        compare(STACK, ahead)


def test_an_etcd_that_has_forgotten_its_history_cannot_be_compared_and_is_no_loss(filled: Etcd) -> None:
    before = filled.contents()
    filled.transact([], [put("/zetta/version", "2")])
    url = f"http://{filled.endpoints[0]}/v3/kv/compaction"
    httpx.post(url, json={"revision": str(filled.contents().revision)}, trust_env=False).raise_for_status()
    assert filled.contents_at(before.revision) is None
    assert compare(STACK, before) == filled.contents()
