"""A rollout of core-services: etcd's members come and go one by one, and between any two its data are compared."""

from __future__ import annotations

import logging
from functools import partial

from tasks.core_services import find_etcd
from tasks.errors import DataLost, EtcdUnreachable
from tasks.etcd import Contents
from tasks.in_batches import InBatches
from tasks.model import Patience
from tasks.steps import step
from tasks.waits import NotYet, wait_until

logger = logging.getLogger(__name__)

SHOWN = 5
"""How many lost keys an error names."""


class ByMember(InBatches):
    """The history of etcd never changes: whoever is a member must say the same of what was at an earlier revision.

    So a key that somebody has written or deleted meanwhile is no difference, and one that got lost is. Keys of the v2
    API have no history: they are not compared.
    """

    before: Contents | None = None
    """What was there when it was looked at last; None without a lock, when etcd is what has to be mended."""

    def launch(self) -> None:
        """From now on the data are watched."""
        if self.lock:
            self.before = find_etcd(self.old.stack).contents()
        super().launch()

    def resize_old(self, size: int) -> None:
        """Raises DataLost."""
        super().resize_old(size)
        self._compare()

    def resize_new(self, size: int) -> None:
        """Raises DataLost."""
        super().resize_new(size)
        self._compare()

    def settle(self) -> None:
        """Say what was compared."""
        super().settle()
        if self.before:
            self.changes += (f"etcd kept its data: {tell(self.before)}",)

    def _compare(self) -> None:
        if self.before:
            self.before = await_compared(self.old.stack, self.before, self.role.patience)


def tell(contents: Contents) -> str:
    """Their number and digest, for people."""
    return f"{len(contents.digests)} keys at revision {contents.revision}, digest {contents.digest[:12]}"


@step("compare the data of etcd of {stack}", system="etcd")
def await_compared(stack: str, before: Contents, patience: Patience) -> Contents:
    """See `compare`."""
    return wait_until(f"etcd of stack {stack} to say what data it has", partial(compare, stack, before), patience)


def compare(stack: str, before: Contents) -> Contents | NotYet:
    """The data as they are now, when every member that answers says the same of what was `before`.

    Raises DataLost with the keys for which one does not.
    """
    answered = 0
    for member in find_etcd(stack).each():
        try:
            then = member.contents_at(before.revision)
        except EtcdUnreachable:  # it comes or goes, or is broken: health checks tell
            continue
        answered += 1
        if then is None:
            logger.warning("etcd has forgotten what was at revision %d: its data cannot be compared", before.revision)
        elif then != before:
            raise DataLost(stack, _differences(before.digests, then.digests))
    try:
        now = find_etcd(stack).contents()
    except EtcdUnreachable as error:
        return NotYet(str(error))
    if not answered:
        return NotYet("no member has said what was there before")
    logger.info("etcd has all it had: %s", tell(before))
    return now


def _differences(before: dict[str, str], then: dict[str, str]) -> tuple[str, ...]:
    told = [f"{key} is gone" for key in before if key not in then]
    told += [f"{key} has another value" for key in before if key in then and before[key] != then[key]]
    told += [f"{key} was not there" for key in then if key not in before]
    more = (f"and {len(told) - SHOWN} more",) if len(told) > SHOWN else ()
    return (*told[:SHOWN], *more)
