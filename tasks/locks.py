"""One change at a time per stack and role: a lock in the stack's etcd that expires by itself when its holder dies.

A lock alone excludes nobody (https://jepsen.io/analyses/etcd-3.4.3): whoever slept through its end would go on
writing. So every write that moves traffic carries the revision at which the lock was made, and is refused when stale.
"""

from __future__ import annotations

import getpass
import json
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NoReturn

from prefect import runtime

from tasks.core_services import CORE_SERVICES, find_etcd
from tasks.errors import EtcdUnreachable, LockHeld, LockLost, no_stack
from tasks.etcd import Compare, Etcd, Record, made_at, put
from tasks.events import Event, tell_event
from tasks.model import Noun, Patience
from tasks.stacks import find_stack
from tasks.steps import step
from tasks.waits import NotYet, wait_until

logger = logging.getLogger(__name__)

PREFIX = "/tyrell/locks/"
SECONDS = 20
"""How long a lock outlives its holder."""

ENOUGH = 5
"""Seconds a lock must still last for a write to a system that knows no transaction."""


class Lock(Noun):
    """A lock as its key says it; `created` is the revision it was made at, and the fence of every write under it."""

    stack: str
    role: str
    holder: str
    doing: str
    since: datetime
    run: str = ""
    lease: int = 0
    created: int = 0

    @property
    def key(self) -> str:
        """Its key in etcd."""
        return PREFIX + self.role

    @property
    def fence(self) -> list[Compare]:
        """What a transaction of the holder's compares: the lock is still the one he took."""
        return [made_at(self.key, self.created)]


def find_locks(stack: str) -> tuple[Lock, ...]:
    """All locks of the stack. Raises EtcdUnreachable."""
    return locks_in(find_etcd(stack))


def locks_in(etcd: Etcd) -> tuple[Lock, ...]:
    """All locks in that etcd. Raises EtcdUnreachable."""
    return tuple(_lock(etcd.stack, record) for record in etcd.list(PREFIX))


def _lock(stack: str, record: Record) -> Lock:
    facts: dict[str, Any] = json.loads(record.value)
    return Lock(stack=stack, created=record.created, **facts)


def check_unlocked(stack: str) -> None:
    """Raises LockHeld when somebody changes something in the stack; without etcd nobody can."""
    etcd = find_etcd(stack)
    with suppress(EtcdUnreachable):
        for lock in locks_in(etcd):
            _refuse(lock, etcd)


def _refuse(lock: Lock, etcd: Etcd) -> NoReturn:
    _tell_refused(str(runtime.flow_run.id), lock)
    left = etcd.seconds_left(lock.lease)
    raise LockHeld(lock.role, lock.stack, lock.holder, f"{lock.since:%F %T} UTC", lock.doing, left)


@lru_cache(maxsize=64)
def _tell_refused(_run: str, lock: Lock) -> None:
    """Once for each run and holder: some runs ask again every second."""
    tell_event(Event.LOCK_REFUSED, (lock.stack, lock.role), holder=lock.holder, since=str(lock.since), doing=lock.doing)


def me() -> str:
    """Who we are, for others: user and machine."""
    return f"{getpass.getuser()}@{socket.gethostname()}"


@contextmanager
def holding(stack: str, role: str, doing: str, wait: timedelta | None = None) -> Iterator[Lock | None]:
    """The lock of the role while the block runs; waits that long for another holder, else not at all.

    None where there is no etcd to lock in: it is only just being made, or is itself what has to be mended. Until then
    the creation of the stack of that name is the lock. Raises LockHeld, EtcdUnreachable.
    """
    lock = take_lock(stack, role, doing, wait)
    if lock is None:
        yield None
        return
    try:
        with keeping(lock):
            yield lock
    except Exception:
        raise
    except BaseException:  # Ctrl-C, or Prefect's cancellation
        logger.warning("stopped before it was done: %s; %s of %s is free, the same run goes on", doing, role, stack)
        raise


@contextmanager
def keeping(lock: Lock) -> Iterator[None]:
    """Renew the lock while the block runs, and give it back at the end."""
    ended = threading.Event()
    threading.Thread(target=_renew, args=(lock, ended), name=f"lock {lock.role}", daemon=True).start()
    try:
        yield
    finally:
        ended.set()
        with suppress(EtcdUnreachable):  # it expires by itself
            find_etcd(lock.stack).revoke(lock.lease)


@step("lock {role} for: {doing}", system="etcd")
def take_lock(stack: str, role: str, doing: str, wait: timedelta | None) -> Lock | None:
    """The lock, once nobody else has it.

    Raises LockHeld at once without `wait`, Expired at its end; NotFound when there is no such stack.
    """
    etcd = find_etcd(stack)
    if not etcd.endpoints and find_stack(stack) is None:
        raise no_stack(stack)
    try:
        return _take(etcd, role, doing, wait)
    except EtcdUnreachable as error:
        if role != CORE_SERVICES:
            raise
        logger.info("no lock: %s", error)
        return None


def _take(etcd: Etcd, role: str, doing: str, wait: timedelta | None) -> Lock:
    facts = {
        "role": role,
        "holder": me(),
        "doing": doing,
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
        "run": str(runtime.flow_run.id or ""),
    }

    def look() -> Lock | NotYet:
        key, lease = PREFIX + role, etcd.grant(SECONDS)
        # Not by the answer: one that got lost may have been a yes.
        etcd.transact([made_at(key, 0)], [put(key, json.dumps(facts | {"lease": lease}), lease)])
        found = etcd.get(key)
        if not found.created:
            return NotYet("it was just given back")
        lock = _lock(etcd.stack, found)
        if lock.lease == lease:
            return lock
        etcd.revoke(lease)
        if wait is None:
            _refuse(lock, etcd)
        return NotYet(f"{lock.holder} has it since {lock.since:%F %T} UTC: {lock.doing}")

    return wait_until(f"the lock of {role}", look, Patience(timeout=wait or timedelta(seconds=SECONDS)))


def _renew(lock: Lock, ended: threading.Event) -> None:
    while not ended.wait(SECONDS / 5):
        try:
            if not find_etcd(lock.stack).keep_alive(lock.lease):
                logger.warning("the lock of %s has expired", lock.role)
                return
        except Exception as error:  # whatever it is, the next time may do; the lock is looked at before each write
            logger.warning("the lock of %s could not be renewed: %s", lock.role, error)


def check_held(lock: Lock | None) -> None:
    """Raises LockLost unless the lock is still ours and lasts long enough for a write that cannot compare with it."""
    if lock is None:
        return
    etcd = find_etcd(lock.stack)
    found = etcd.get(lock.key)
    if found.created != lock.created:
        now = _lock(lock.stack, found).holder if found.created else "nobody"
        raise LockLost(lock.role, lock.stack, now)
    if etcd.seconds_left(lock.lease) < ENOUGH and not etcd.keep_alive(lock.lease):
        raise LockLost(lock.role, lock.stack, "nobody")
