"""One change at a time, also when its holder is killed, sleeps, or races with another one."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest

from tasks.clients import cloudformation
from tasks.core_services import CORE_SERVICES, find_etcd
from tasks.errors import EtcdUnreachable, Expired, LockHeld, LockLost, NotFound
from tasks.locks import PREFIX, SECONDS, Lock, check_held, check_unlocked, find_locks, keeping, me, take_lock
from tasks.marks import condemn, find_bad, pardon
from tasks.model import Version
from tasks.retiring import stop_version
from tasks.roles import load_role
from tasks.switching import go_back
from tests.tasks.stack_etcd import STACK, stack_etcd
from tests.waiting import eventually

pytestmark = pytest.mark.cloud

V1 = Version(stack=STACK, role="router", id="v1")


@pytest.fixture(scope="module")
def etcd() -> Iterator[None]:
    with stack_etcd():
        yield


@pytest.fixture(autouse=True)
def unlocked(etcd: None) -> Iterator[None]:
    """No test leaves a lock to the next one."""
    yield
    for lock in find_locks(STACK):
        find_etcd(STACK).revoke(lock.lease)


class Other:
    """Another process; see `tests.tasks.lock_holder`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def begin(self, command: str) -> None:
        """Have it do something."""
        assert self.process.stdin
        self.process.stdin.write(f"{command}\n")
        self.process.stdin.flush()

    def answer(self) -> str:
        """What it said."""
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def do(self, command: str) -> str:
        """Have it do something, and wait for what it says."""
        self.begin(command)
        return self.answer()


@pytest.fixture
def start(etcd: None) -> Iterator[Callable[[int], list[Other]]]:
    """Starts that many other processes; they are killed at the end."""
    with ExitStack() as started:

        def start(count: int) -> list[Other]:
            command = [sys.executable, "-m", "tests.tasks.lock_holder"]
            pipes = [
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
                for _ in range(count)
            ]
            for process in pipes:
                started.enter_context(process)
                started.callback(process.kill)
            others = [Other(process) for process in pipes]
            assert [other.answer() for other in others] == ["ready"] * count
            return others

        yield start


def take(role: str = "router", doing: str = "test", wait: timedelta | None = None) -> Lock:
    """The lock."""
    lock = take_lock.fn(STACK, role, doing, wait)
    assert lock
    return lock


def test_a_lock_says_who_has_it_since_when_and_for_what() -> None:
    taken = take(doing="upgrade to v2")
    (found,) = find_locks(STACK)
    assert found == taken
    assert (found.role, found.holder, found.doing) == ("router", me(), "upgrade to v2")
    assert timedelta() <= datetime.now(UTC) - found.since < timedelta(seconds=5)
    record = find_etcd(STACK).get(PREFIX + "router")
    assert json.loads(record.value).keys() == {"role", "holder", "doing", "since", "run", "lease"}
    assert 0 < find_etcd(STACK).seconds_left(found.lease) <= SECONDS


def test_who_has_it_excludes_everybody_else_from_this_role_only() -> None:
    take(doing="upgrade to v2")
    with pytest.raises(LockHeld, match=rf"router of stack lab is locked by {me()} since .* UTC: upgrade to v2"):
        take()
    with pytest.raises(LockHeld):
        check_unlocked(STACK)
    assert take("target").role == "target"


def test_waiting_ends_at_its_deadline_and_says_who_has_it() -> None:
    take(doing="upgrade to v2")
    with pytest.raises(
        Expired, match=f"the lock of router after 1 s; last seen: {me()} has it since .*: upgrade to v2"
    ):
        take(wait=timedelta(seconds=1))


def test_it_is_renewed_while_it_is_kept_and_given_back_at_the_end() -> None:
    lock = take()
    with keeping(lock):
        left = find_etcd(STACK).seconds_left
        eventually("time to pass", lambda: left(lock.lease) < SECONDS - 2)
        eventually("it is renewed", lambda: left(lock.lease) >= SECONDS - 1)
    assert find_locks(STACK) == ()
    check_unlocked(STACK)
    with pytest.raises(LockLost, match="nobody has it now"):
        check_held(lock)


def test_who_lost_it_can_neither_write_nor_undo() -> None:
    lost = take()
    find_etcd(STACK).revoke(lost.lease)
    with pytest.raises(LockLost):
        condemn.fn(lost, V1, "nobody has the lock")
    ours = take(doing="something else")
    for write in (
        lambda: check_held(lost),
        lambda: condemn.fn(lost, V1, "too late"),
        lambda: go_back(lost, V1, V1, load_role("router"), "too late"),
        lambda: stop_version(lost, V1, load_role("router"), 1),
    ):
        with pytest.raises(LockLost, match=f"{me()} has it now"):
            write()
    assert find_bad(STACK, "router") == {}
    check_held(ours)
    condemn.fn(ours, V1, "it fails")
    assert find_bad(STACK, "router") == {"v1": "it fails"}
    pardon.fn(ours, V1)
    assert find_bad(STACK, "router") == {}


def test_without_etcd_only_core_services_is_changed_unlocked() -> None:
    with pytest.raises(NotFound, match="stack empty does not exist; `tyrell up empty` makes it"):
        take_lock.fn("empty", "router", "deploy", None)
    template = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}
    cloudformation().create_stack(StackName="empty", TemplateBody=json.dumps(template))
    assert take_lock.fn("empty", CORE_SERVICES, "first deploy", None) is None
    check_held(None)
    check_unlocked("empty")
    with pytest.raises(EtcdUnreachable, match="etcd of stack empty is unreachable"):
        take_lock.fn("empty", "router", "deploy", None)


def test_the_lock_of_a_killed_holder_expires_by_itself(start: Callable[[int], list[Other]]) -> None:
    (other,) = start(1)
    other.do("hold router")
    other.process.send_signal(signal.SIGKILL)
    other.process.wait(10)
    began = datetime.now(UTC)
    with pytest.raises(LockHeld):
        take()
    take(wait=timedelta(seconds=2 * SECONDS))
    assert datetime.now(UTC) - began < timedelta(seconds=SECONDS + 10)


def test_a_holder_that_overslept_is_refused_at_its_next_write(start: Callable[[int], list[Other]]) -> None:
    (other,) = start(1)
    lease = int(other.do("hold router"))
    other.process.send_signal(signal.SIGSTOP)
    find_etcd(STACK).revoke(lease)  # what etcd does by itself when nobody renews it
    ours = take()
    other.process.send_signal(signal.SIGCONT)
    assert other.do("condemn router").startswith("LockLost: lost the lock of router of stack lab")
    assert find_bad(STACK, "router") == {}
    check_held(ours)


def test_two_that_race_never_both_have_it(start: Callable[[int], list[Other]]) -> None:
    others = start(2)
    for other in others:
        other.begin("race router 50")
    assert [other.answer() for other in others] == ["0 of 50 together"] * 2
