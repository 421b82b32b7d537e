"""Somebody else who takes locks: a process that does what it reads, line by line, and says how that went.

`hold ROLE` takes the lock and keeps it, `condemn ROLE` writes under it, `race ROLE ROUNDS` takes it and gives it back.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack

from tasks.core_services import find_etcd
from tasks.errors import LockHeld, TyrellError
from tasks.etcd import delete, made_at, put
from tasks.locks import Lock, keeping, take_lock
from tasks.marks import condemn
from tasks.model import Version
from tests.tasks.stack_etcd import STACK

INSIDE = "/tests/inside"


class Holder:
    """Its commands by name; each returns what is said."""

    def __init__(self, kept: ExitStack) -> None:
        self._kept = kept
        self._locks: dict[str, Lock | None] = {}

    def hold(self, role: str) -> str:
        """Take the lock and keep it until the end."""
        lock = take_lock.fn(STACK, role, "hold it", None)
        assert lock
        self._locks[role] = lock
        self._kept.enter_context(keeping(lock))
        return str(lock.lease)

    def condemn(self, role: str) -> str:
        """Write something under the lock."""
        condemn.fn(self._locks[role], Version(stack=STACK, role=role, id="v1"), "it fails")
        return "written"

    def race(self, role: str, rounds: str) -> str:
        """Take the lock that often, and tell how often somebody else was inside too."""
        etcd, taken, together = find_etcd(STACK), 0, 0
        while taken < int(rounds):
            try:
                lock = take_lock.fn(STACK, role, "race", None)
            except LockHeld:
                continue
            assert lock
            taken += 1
            together += not etcd.transact([made_at(INSIDE, 0)], [put(INSIDE, "x")])
            together += not etcd.transact([*lock.fence], [delete(INSIDE)])
            etcd.revoke(lock.lease)
        return f"{together} of {taken} together"


def main() -> None:
    """Read and do until the input ends."""
    with ExitStack() as kept:
        holder = Holder(kept)
        print("ready", flush=True)
        for line in sys.stdin:
            command, *arguments = line.split()
            do: Callable[..., str] = getattr(holder, command)
            try:
                print(do(*arguments), flush=True)
            except TyrellError as error:
                print(f"{type(error).__name__}: {error}", flush=True)


if __name__ == "__main__":
    main()
