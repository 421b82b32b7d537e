"""A rollout by the pointer of a registry (see `tasks.rollout.World`)."""

from __future__ import annotations

from datetime import UTC, datetime

from tasks import marks, pointer, registry
from tasks.draining import move_connections
from tasks.gatekeeping import Watched, await_gate
from tasks.groups import find_group, find_groups, scale_group
from tasks.locks import Lock, check_held
from tasks.model import Machine
from tasks.recording import Recorder
from tasks.replacement import Order, Replacement
from tasks.role_parts import ByRegistry
from tasks.rollouts import FULL


class ByPointer(Replacement):
    """A role that registers its members, live by a pointer in etcd: everything moves at once."""

    def __init__(self, order: Order, lock: Lock | None, recorder: Recorder, kind: ByRegistry) -> None:
        super().__init__(order, lock, recorder)
        self.kind = kind
        self._written = datetime.now(UTC)

    def share(self) -> int:
        """All or nothing."""
        return FULL if registry.find_pointer(self.new.stack, self.kind) == self.new.id else 0

    def shift(self, percent: int) -> None:
        """Only when every router sees every new member, and until every router believes it."""
        group, watchers = find_group(self.new), self._watchers()
        pointer.await_seen(self.new, self.role, self.kind, watchers)
        self.changes += pointer.switch_pointer(self.lock, group, self.role, self.kind, all_healthy=True)
        self._written = datetime.now(UTC)
        self.recorder.step(f"{percent} %")
        pointer.await_believed(self.lock, self.new, self.kind, watchers)

    def shift_back(self) -> None:
        """One registered old member with room for all tenants is enough."""
        self.changes += pointer.switch_pointer(self.lock, find_group(self.old), self.role, self.kind, all_healthy=False)
        marks.mark_in_use(self.old)
        self.recorder.step("back")
        pointer.await_believed(self.lock, self.old, self.kind, self._watchers())

    def await_gate(self, percent: int) -> None:
        """What the routers' balancer saw before the switch, and what it sees since."""
        groups = tuple(group for group in find_groups(self.new.stack, self.kind.watched_by) if group.target_groups)
        watched = Watched(old=self.old, new=self.new, old_groups=groups, new_groups=groups, since=self._written)
        await_gate(watched, self.plan, percent)

    def dismiss(self) -> None:
        """Its machines withdraw their registrations as they go."""
        check_held(self.lock)
        if not self.launched():
            return
        move_connections(self.new, self.role, self.plan.drain_rate)
        self.changes += scale_group(self.new, 0)

    def _watchers(self) -> tuple[Machine, ...]:
        return pointer.machines_in_service(find_groups(self.new.stack, self.kind.watched_by))
