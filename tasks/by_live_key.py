"""A rollout of a role that works off a queue (see `tasks.rollout.World`): one key in etcd says which version works."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tasks import marks
from tasks.activities import find_deaths, find_troubles
from tasks.errors import Disproved, Expired
from tasks.groups import find_group, scale_group
from tasks.health import MOST_DEATHS
from tasks.live_keys import point_to
from tasks.locks import check_held
from tasks.model import Version
from tasks.replacement import Replacement
from tasks.roles import Role
from tasks.steps import step
from tasks.waits import NotYet, wait_until


class ByLiveKey(Replacement):
    """The new version proves itself by working: one machine of it takes part while the old version goes on."""

    hold = False  # pinned against schedules and alarms only: a worker that is done makes its group smaller

    def launch(self) -> None:
        """Its stack, and one machine."""
        group = self.create()
        self.changes += scale_group(self.new, max(1, group.desired))

    def await_steady(self) -> None:
        """It has done all there was to do, or has worked for `min_healthy_time`."""
        await_work(self.new, self.role, self.plan.min_healthy_time)

    def shift(self, percent: int) -> None:
        """One write; then the old machines finish their batch and go."""
        self.changes += point_to(self.lock, self.new)
        self.recorder.step(f"{percent} %")
        check_held(self.lock)
        self.changes += scale_group(self.old, 0)

    def shift_back(self) -> None:
        """One write: whoever starts workers next starts old ones."""
        self.changes += point_to(self.lock, self.old, back=True)
        self.recorder.step("back")

    def await_gate(self, percent: int) -> None:
        """Nobody sends it requests: that it works has been seen already."""

    def settle(self) -> None:
        """Known good; it needs no machines to take over again."""
        check_held(self.lock)
        marks.mark_left(self.old, self.plan.rollback_window)


@step("{version.role} {version.id} works", system="health")
def await_work(version: Version, role: Role, steady: timedelta) -> None:
    """Wait until a machine of the version has done all there was to do and left, or has worked for `steady`.

    Raises Disproved.
    """
    name, began = f"{version.role} {version.id}", datetime.now(UTC)
    since: dict[str, datetime] = {}

    def look() -> bool | NotYet:
        group, now = find_group(version), datetime.now(UTC)
        if not group.desired:  # only a machine that has done its work makes its group smaller
            return True
        deaths = find_deaths(group, began)
        if len(deaths) > MOST_DEATHS:
            raise Disproved(name, f"{len(deaths)} of its machines died at work: {deaths[0]}")
        longest = max((now - since.setdefault(machine.id, now) for machine in group.in_service), default=timedelta())
        if group.in_service and longest >= steady:
            return True
        return NotYet("; ".join(find_troubles(group)) or f"at work for {longest.seconds} of {steady.seconds} s")

    patience = role.patience.model_copy(update={"timeout": role.patience.timeout + steady})
    try:
        wait_until(f"{name} to work", look, patience)
    except Expired as error:
        raise Disproved(name, str(error)) from error
