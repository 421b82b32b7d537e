"""The targets a proxy knows: who may get the next request, who is still at work, who is draining."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from tyrell.local.balancers import config
from tyrell.local.balancers.health import Health

DRAINING = ("Target.DeregistrationInProgress", "Target deregistration is in progress")


def own_end(source: str | None) -> tuple[str, int] | None:
    """The proxy's end of a connection to a target; None when the system may choose it."""
    return (source, 0) if source else None


class Target:
    """One target: its address, its health and the requests it is working on.

    While it is draining it gets no new request; at the end of the deregistration delay those still in flight are
    ended. AWS keeps a target draining for the whole delay; here it is drained as soon as nothing is in flight.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html#deregistration-delay
    """

    def __init__(self, address: str, port: int) -> None:
        self.address = address
        self.port = port
        self.health = Health()
        self.in_flight: set[Callable[[], object]] = set()
        self._deadline: asyncio.TimerHandle | None = None

    @property
    def draining(self) -> bool:
        """Whether it is being deregistered."""
        return self._deadline is not None

    def drain(self, delay: float) -> None:
        """Take it out of rotation and end what is still in flight after `delay` seconds; again changes nothing."""
        if self._deadline is None:
            self._deadline = asyncio.get_running_loop().call_later(delay, self._end_all)

    def release(self) -> None:
        """Forget the deadline of a target that is gone from the configuration."""
        if self._deadline is not None:
            self._deadline.cancel()

    @contextmanager
    def carrying(self, end: Callable[[], object]) -> Iterator[None]:
        """Count a request (or WebSocket) as in flight inside the block; `end` is how to end it early."""
        self.in_flight.add(end)
        try:
            yield
        finally:
            self.in_flight.discard(end)

    def state(self) -> config.TargetState:
        """What DescribeTargetHealth says of it."""
        if self.draining:
            reason, description = DRAINING
            state = "draining" if self.in_flight else "drained"
            return config.TargetState(
                state=state, reason=reason, description=description, in_flight=len(self.in_flight)
            )
        failure = self.health.failure
        return config.TargetState(
            state=self.health.state,
            reason=failure and failure.reason,
            description=failure and failure.description,
            in_flight=len(self.in_flight),
        )

    def _end_all(self) -> None:
        for end in tuple(self.in_flight):
            end()


class Group:
    """A target group: its targets by id, and whose turn it is."""

    def __init__(self, arn: str, told: config.TargetGroup) -> None:
        self.arn = arn
        self.told = told
        self.targets: dict[str, Target] = {}
        self._turn = 0

    def apply(self, told: config.TargetGroup) -> None:
        """Take over a configuration. A target that stayed keeps its health; one that comes back starts anew."""
        self.told = told
        before, self.targets = self.targets, {}
        for target_id, wanted in told.targets.items():
            known = before.pop(target_id, None)
            same = known and (known.address, known.port) == (wanted.address, wanted.port)
            if known and same and (wanted.draining or not known.draining):
                target = known
            else:
                target = Target(wanted.address, wanted.port)
                if known:
                    known.release()
            if wanted.draining:
                target.drain(told.deregistration_delay)
            self.targets[target_id] = target
        for gone in before.values():
            gone.release()

    def choose(self, but: Collection[Target] = ()) -> Target | None:
        """The target of the next request, none of `but`; None when there is nobody.

        Only healthy targets are asked, but when no registered target is healthy all of them are: the group "fails
        open". https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health.html
        """
        registered = [target for target in self.targets.values() if not target.draining]
        healthy = [target for target in registered if target.health.state == "healthy"]
        candidates = [target for target in healthy or registered if target not in but]
        if not candidates:
            return None
        self._turn += 1
        start = self._turn % len(candidates)
        if self.told.algorithm == "round_robin":
            return candidates[start]
        return min(candidates[start:] + candidates[:start], key=lambda target: len(target.in_flight))

    def count_in_state(self, state: str) -> int:
        """How many registered targets are in a state of health."""
        return sum(not target.draining and target.health.state == state for target in self.targets.values())

    def state(self) -> config.GroupState:
        """Its targets, for the state document."""
        return config.GroupState(targets={target_id: target.state() for target_id, target in self.targets.items()})
