"""Which version works and whether it may is written under the lock only, each time compared with what was read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tasks.core_services import find_etcd
from tasks.errors import LockLost
from tasks.live_keys import find_live_key, find_pause, pause_role, point_to, resume_role
from tasks.locks import Lock, take_lock
from tasks.model import Version
from tests.tasks.stack_etcd import STACK, stack_etcd

pytestmark = pytest.mark.cloud

ROLE = "usage-worker"


@pytest.fixture(scope="module")
def etcd() -> Iterator[None]:
    with stack_etcd():
        yield


@pytest.fixture
def lock(etcd: None) -> Iterator[Lock]:
    taken = take_lock.fn(STACK, ROLE, "test", None)
    assert taken
    yield taken
    find_etcd(STACK).revoke(taken.lease)


def a_version(name: str) -> Version:
    return Version(stack=STACK, role=ROLE, id=name)


def test_one_version_works_at_a_time(lock: Lock) -> None:
    assert find_live_key(STACK, ROLE) == ""
    assert point_to.fn(lock, a_version("one")) == ("switched usage-worker from none to one",)
    assert point_to.fn(lock, a_version("two")) == ("switched usage-worker from one to two",)
    assert find_live_key(STACK, ROLE) == "two"
    assert point_to.fn(lock, a_version("two")) == ()


def test_a_pause_says_who_and_why_and_lasts_until_it_is_ended(lock: Lock) -> None:
    assert find_pause(STACK, ROLE) is None
    assert pause_role.fn(lock, STACK, ROLE, "S3 is being moved") == ("paused usage-worker",)
    assert pause_role.fn(lock, STACK, ROLE, "another reason") == ()
    assert str(find_pause(STACK, ROLE)).endswith("UTC: S3 is being moved")
    assert resume_role.fn(lock, STACK, ROLE) == ("resumed usage-worker",)
    assert resume_role.fn(lock, STACK, ROLE) == ()
    assert find_pause(STACK, ROLE) is None


def test_who_has_lost_the_lock_writes_nothing(lock: Lock) -> None:
    before = find_live_key(STACK, ROLE)
    find_etcd(STACK).revoke(lock.lease)
    with pytest.raises(LockLost):
        point_to.fn(lock, a_version("three"))
    with pytest.raises(LockLost):
        pause_role.fn(lock, STACK, ROLE, "")
    assert (find_live_key(STACK, ROLE), find_pause(STACK, ROLE)) == (before, None)
