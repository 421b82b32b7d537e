"""A rollout by the pointer of a registry (see `tasks.rollout.World`)."""

from __future__ import annotations

from datetime import UTC, datetime

from tasks import marks, pointer, registry
from tasks.gatekeeping import Watched, await_gate
from tasks.groups import find_group, find_groups
from tasks.locks import Lock
from tasks.recording import Recorder
from tasks.replacement import Order, Replacement
from tasks.role_parts import ByRegistry
from tasks.watchers import find_watchers


class ByPointer(Replacement):
    """A role that registers its members, live by a pointer in etcd: everything moves at once."""

    def __init__(self, order: Order, lock: Lock | None, recorder: Recorder, kind: ByRegistry) -> None:
        super().__init__(order, lock, recorder)
        self.kind = kind
        self._written = datetime.now(UTC)

    def shift(self, percent: int) -> None:
        """Only when every router sees every new member, and until every router believes it."""
        group, watchers = find_group(self.new), find_watchers(self.new.stack, self.kind)
        self.changes += registry.forget_lost(self.lock, group, self.kind)
        pointer.await_seen(self.new, self.role, self.kind, watchers)
        self.changes += pointer.switch_pointer(self.lock, group, self.role, self.kind, all_healthy=True)
        self._written = datetime.now(UTC)
        self.recorder.step(f"{percent} %")
        pointer.await_believed(self.lock, self.new, self.kind, watchers)

    def shift_back(self) -> None:
        """One registered old member with room for all tenants is enough."""
        old = find_group(self.old)
        self.changes += pointer.switch_pointer(self.lock, old, self.role, self.kind, all_healthy=False)
        marks.mark_in_use(old)
        self.recorder.step("back")
        pointer.await_believed(self.lock, self.old, self.kind, find_watchers(self.old.stack, self.kind))

    def await_gate(self, percent: int) -> None:
        """What the routers' balancer saw before the switch, and what it sees since."""
        groups = tuple(group for group in find_groups(self.new.stack, self.kind.watched_by) if group.target_groups)
        watched = Watched(old=self.old, new=self.new, old_groups=groups, new_groups=groups, since=self._written)
        await_gate(watched, self.plan, percent)
