"""What the tasks that change a role do to the simulated cloud, each write under the lock."""

from __future__ import annotations

from tasks.errors import NotReady
from tasks.marks import HOT_UNTIL, LEFT
from tests.tasks.hands import Hand


def unpin(hand: Hand, name: str) -> None:
    """See `tasks.marks.unpin`."""
    hand.write(f"unpin {name}")
    hand.cloud.unpin(name)


def unpin_all(hand: Hand, last: str) -> None:
    """See `tasks.marks.unpin_all`."""
    for name in sorted(hand.cloud.pinned(), key=lambda name: name == last):
        unpin(hand, name)


def use(hand: Hand, name: str) -> None:
    """See `tasks.marks.mark_in_use`."""
    hand.write(f"use {name}")
    hand.cloud.untag(name, LEFT, HOT_UNTIL)


def scale(hand: Hand, name: str, size: int) -> None:
    """See `tasks.groups.scale_group`."""
    if hand.cloud.groups[name].desired != size:
        hand.write(f"scale {name} to {size}")
        hand.cloud.resize(name, size)


def stop(hand: Hand, name: str) -> None:
    """See `tasks.retiring.stop_version`."""
    if name in hand.cloud.pinned():
        unpin(hand, name)
    hand.write(f"drain {name}")
    scale(hand, name, 0)


def give(hand: Hand, wanted: dict[str, int], *, all_healthy: bool) -> None:
    """See `tasks.traffic.shift_weights`."""
    cloud = hand.cloud
    hand.look()
    wanted = {name: share for name, share in wanted.items() if share}
    if wanted == cloud.shares:
        return
    hand.act(f"look before {wanted}")
    for name, share in wanted.items():
        if name not in cloud.groups:  # somebody has deleted it meanwhile
            raise NotReady(name, ("it is not in the listener rule",))
        floor = max(cloud.groups[name].desired if all_healthy else 1, 1)
        if share > cloud.shares.get(name, 0) and cloud.healthy[name] < floor:
            raise NotReady(name, (f"{cloud.healthy[name]} of {floor}",))
    hand.write(" ".join(f"{name}={share}" for name, share in wanted.items()))
    cloud.give(wanted)


def condemn(hand: Hand, name: str, reason: str) -> None:
    """See `tasks.marks.condemn`."""
    hand.write(f"condemn {name}")
    hand.cloud.bad[name] = reason
