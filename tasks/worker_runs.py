"""One run of a queue's workers: the order of things, and nothing else.

What is seen and done is the `World`'s: Prefect tasks on AWS and etcd, or a simulation in the tests of this order.
It may be killed at any line and run again, or never: workers end by themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from tasks.errors import Expired, LockHeld
from tasks.model import Patience
from tasks.role_parts import ByQueue
from tasks.waits import NotYet, wait_until
from tasks.worker_plans import plan_workers
from tasks.workers import Crew


class World(Protocol):
    """One role of one stack."""

    @property
    def name(self) -> str:
        """What is worked off, for people."""

    def look(self) -> Crew:
        """Its workers and its queue now. Raises QueueGone."""

    def scale(self, size: int) -> None:
        """Have so many workers of the live version, and none of another. Raises LockHeld, LockLost."""


def work_off(
    world: World,
    kind: ByQueue,
    most: int,
    patience: Patience,
    *,
    run: bool,
    wait: Callable[[str, Callable[[], Crew | NotYet], Patience], Crew] = wait_until,
) -> Crew:
    """Start as many workers as the queue needs (see `plan_workers`) and watch them until nobody works any more.

    Returns what was seen last: with nothing to start after one look, else when the workers have gone, or after
    `patience.timeout`, when those that still work go on by themselves. Somebody who changes the role is waited for.
    """
    last: list[Crew] = []

    def look() -> Crew | NotYet:
        crew = world.look()
        last[:] = [crew]
        allowed = most if crew.version and not crew.paused else 0
        wanted = plan_workers(crew.load, kind, crew.desired, allowed, run=run)
        if wanted != crew.desired or crew.strays:
            try:
                world.scale(wanted)
            except LockHeld as held:
                return NotYet(str(held))
            return NotYet(f"{crew.waiting} messages wait, {wanted} workers are asked for")
        return NotYet(_shown(crew)) if crew.desired else crew

    try:
        return wait(f"{world.name} to be worked off", look, patience)
    except Expired:
        return last[0]


def _shown(crew: Crew) -> str:
    """How far it is, for people."""
    seen = f"{crew.waiting} messages wait, {crew.in_flight} are in flight, {crew.working} of {crew.desired} work"
    return "; ".join((seen, *crew.problems))
