"""The verbs of a rollout (see `tasks.rollout`) on AWS and etcd, as far as they are the same for every role."""

from __future__ import annotations

from datetime import UTC, datetime

from tasks import marks
from tasks.approvals import await_approval
from tasks.draining import move_connections
from tasks.errors import Refused
from tasks.events import Event, tell_event
from tasks.groups import find_group, find_groups, scale_group
from tasks.health import await_healthy
from tasks.locks import Lock, check_held
from tasks.model import Changes, Group, Noun, Release, Version
from tasks.recording import Recorder
from tasks.retiring import stop_version
from tasks.roles import Role
from tasks.rollouts import FULL, Rollout
from tasks.smoke import check_smoke
from tasks.versions import create_version, find_shares


class Order(Noun):
    """What is to be done: the `new` version, made of `release`, is to replace the `old` one as `plan` says."""

    role: Role
    old: Version
    new: Version
    release: Release
    plan: Rollout


class Replacement:
    """What is the same for every kind of traffic. `changes` says what was changed so far, also after a failure."""

    hold = True
    """Whether a pinned group keeps at least the size it has."""

    def __init__(self, order: Order, lock: Lock | None, recorder: Recorder) -> None:
        self.role, self.plan = order.role, order.plan
        self.old, self.new, self.release = order.old, order.new, order.release
        self.lock = lock
        self.recorder = recorder
        self.changes: Changes = ()

    @property
    def old_name(self) -> str:
        """Role and version."""
        return f"{self.role.name} {self.old.id}"

    @property
    def new_name(self) -> str:
        """Role and version."""
        return f"{self.role.name} {self.new.id}"

    def pin(self) -> None:
        """The old version. What an upgrade held that died and was left for this one is nobody's any more.

        In this order: at each moment some tag says where an unfinished upgrade came from.
        """
        check_held(self.lock)
        marks.pin(find_group(self.old), self.new.id, hold=self.hold)
        marks.unpin_others(self.old, self.new)

    def unpin(self) -> None:
        """Every version of the role; looks at the lock also when there is none: who lost it has not taken over."""
        check_held(self.lock)
        marks.unpin_all(self.old)

    def launched(self) -> bool:
        """Whether the new version's group is there; its stack may have failed to be made."""
        return any(group.version == self.new for group in find_groups(self.new.stack, self.role.name))

    def share(self) -> int:
        """What the rule or the pointer says."""
        return find_shares(self.new.stack, self.role).get(self.new.id, 0)

    def launch(self) -> None:
        """The stack, no traffic, then as many machines as the old version has now."""
        self.recorder.step("launch")
        check_held(self.lock)
        old = find_group(self.old)
        if marks.left_at(old) and self.share() < FULL:  # whoever gave it traffic again died before saying so
            marks.mark_in_use(old)
        self.changes += create_version(self.new, self.release, self.role)
        group = find_group(self.new)
        self.keep_from_traffic(group)
        check_held(self.lock)  # making a stack takes minutes
        marks.mark_in_use(group)
        self.changes += scale_group(self.new, old.desired)
        marks.pin(find_group(self.new), self.new.id, hold=self.hold)

    def create(self) -> Group:
        """The stack of a new version that needs no traffic kept from it, with the machines it may have already."""
        self.recorder.step("launch")
        check_held(self.lock)
        self.changes += create_version(self.new, self.release, self.role)
        group = find_group(self.new)
        check_held(self.lock)  # making a stack takes minutes
        marks.mark_in_use(group)
        marks.pin(group, self.new.id, hold=self.hold)
        return group

    def await_steady(self) -> None:
        """Healthy where it counts for its kind of traffic, for `min_healthy_time`."""
        await_healthy(self.new, self.role, self.plan.min_healthy_time)

    def smoke(self) -> None:
        """The role's own requests, to every new machine."""
        self.recorder.step("smoke checks")
        check_smoke(self.new, self.role, self.plan.smoke)

    def settle(self) -> None:
        """Marked first: a repetition must not start the window anew."""
        check_held(self.lock)
        marks.mark_left(self.old, self.plan.rollback_window)
        self.recorder.step("move connections")
        move_connections(self.old, self.role, self.plan.drain_rate)
        self.changes += (f"{self.old_name} stays up for {self.plan.rollback_window}",)

    def dismiss(self) -> None:
        """Its connections first, then its machines."""
        if self.launched():
            self.changes += stop_version(self.lock, self.new, self.role, self.plan.drain_rate)

    def condemn(self, reason: str) -> None:
        """In etcd, under the lock."""
        self.changes += marks.condemn(self.lock, self.new, reason)

    def ask(self, percent: int) -> None:
        """In the Prefect UI, or with `tyrell approve`."""
        self.recorder.step(f"approval of {percent} %")
        what = f"{self.new_name} with {percent} % of the traffic"
        question = f"## {self.role.name} of {self.new.stack}: {percent} % to {self.new.id}?\n\nNow: {self.old_name}."
        until = datetime.now(UTC) + self.plan.approval_timeout
        tell_event(Event.APPROVAL_ASKED, self.new, percent=percent, until=until.isoformat(timespec="seconds"))
        try:
            said = await_approval(what, question, self.plan.approval_timeout)
        except Refused as refusal:
            tell_event(Event.APPROVAL_ANSWERED, self.new, percent=percent, approved=False, said=refusal.reason)
            raise
        tell_event(Event.APPROVAL_ANSWERED, self.new, percent=percent, approved=True, said=said)
        self.changes += (said,)

    def keep_from_traffic(self, group: Group) -> None:
        """Called before the group has machines: they must not be asked anything yet."""
