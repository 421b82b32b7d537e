"""Whoever changes the simulated cloud does it act by act; before each of them he may be killed or lose his lock."""

from __future__ import annotations

from collections.abc import Callable

from tasks.errors import LockLost
from tests.tasks.simulation import Cloud


class Killed(BaseException):
    """SIGKILL: nothing of the run comes after it, no clean-up either."""


Fault = Callable[[], object]
"""Happens before an act: raises Killed or KeyboardInterrupt, or does what somebody else does meanwhile."""


class Hand:
    """What one run does, under its own lock; `fault` comes before the act of number `at`."""

    def __init__(self, cloud: Cloud, at: int = 0, fault: Fault | None = None) -> None:
        self.cloud = cloud
        self._lock = cloud.take_lock()
        self._at, self._fault = at, fault
        self._acts = 0
        self._dead = self._lost = False

    def act(self, what: str) -> None:
        """Something that takes time, or comes before a write."""
        self._before(what)
        self.cloud.journal.append(what)

    def write(self, what: str) -> None:
        """Every write looks first whether the lock is still ours."""
        self._before(what)
        self.check_held()
        self.cloud.journal.append(what)

    def check_held(self) -> None:
        """See `tasks.locks.check_held`."""
        self.look()
        if self.cloud.holder != self._lock:
            self._lost = True
            raise LockLost("router", "lab", "the other")

    def _before(self, what: str) -> None:
        self.look()
        self.cloud.expect(not self._lost, f"{what} was tried after the lock had been lost")
        self._acts += 1
        if self._fault and self._acts == self._at:
            try:
                self._fault()
            except Killed:
                self._dead = True
                raise

    def look(self) -> None:
        """A look changes nothing, but the dead do not even look."""
        if self._dead:
            raise Killed
