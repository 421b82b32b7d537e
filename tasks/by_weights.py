"""A rollout by the weights of a load balancer's rule (see `tasks.rollout.World`)."""

from __future__ import annotations

from datetime import UTC, datetime

from tasks import marks, traffic
from tasks.gatekeeping import Watched, await_gate
from tasks.groups import find_group
from tasks.locks import Lock
from tasks.model import Group
from tasks.recording import Recorder
from tasks.replacement import Order, Replacement
from tasks.role_parts import ByLoadBalancer
from tasks.rollouts import FULL


class ByWeights(Replacement):
    """A role behind a load balancer."""

    def __init__(self, order: Order, lock: Lock | None, recorder: Recorder, kind: ByLoadBalancer) -> None:
        super().__init__(order, lock, recorder)
        self.kind = kind
        self._written = datetime.now(UTC)

    def keep_from_traffic(self, group: Group) -> None:
        """At weight 0 it is health-checked, and gets no request."""
        self.changes += traffic.add_at_zero(self.lock, group, self.kind)

    def shift(self, percent: int) -> None:
        """All machines of the new version must be healthy."""
        new, old = find_group(self.new), find_group(self.old)
        self.changes += traffic.shift_weights(self.lock, new, old, self.kind, percent, all_healthy=True)
        self._written = datetime.now(UTC)
        self.recorder.step(f"{percent} %")

    def shift_back(self) -> None:
        """One healthy old machine is enough."""
        old = find_group(self.old)
        self.changes += traffic.shift_weights(self.lock, old, None, self.kind, FULL, all_healthy=False)
        marks.mark_in_use(old)
        self.recorder.step("back")

    def await_gate(self, percent: int) -> None:
        """The two versions' requests side by side."""
        watched = Watched(
            old=self.old,
            new=self.new,
            old_groups=(find_group(self.old),),
            new_groups=(find_group(self.new),),
            since=self._written,
        )
        await_gate(watched, self.plan, percent)
