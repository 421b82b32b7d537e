"""A rollout of a role without traffic, by the number of machines (see `tasks.rollout.Batches`)."""

from __future__ import annotations

from tasks.groups import await_size, find_group, find_groups, scale_group
from tasks.health import await_healthy
from tasks.locks import check_held
from tasks.pins import pinned_size
from tasks.replacement import Replacement


class InBatches(Replacement):
    """Old and new machines do the same work side by side; how many there are of each is all there is to move."""

    hold = False  # pinned against schedules and alarms only: the sizes are to change

    @property
    def size(self) -> int:
        """What the old version had when it began: in the tags, since a rollout back may begin in the middle of one."""
        return max(pinned_size(group) for group in find_groups(self.old.stack, self.role.name))

    def sizes(self) -> tuple[int, int]:
        """As their groups want them."""
        return find_group(self.old).desired, find_group(self.new).desired

    def launch(self) -> None:
        """Its stack, with the machines it may have already."""
        self.create()

    def resize_old(self, size: int) -> None:
        """Returns when the machines that leave are gone and those that stay are healthy."""
        check_held(self.lock)
        self.changes += scale_group(self.old, size)
        await_size(self.old, size, self.role.patience)
        if size:
            await_healthy(self.old, self.role)

    def resize_new(self, size: int) -> None:
        """Healthy for `min_healthy_time`."""
        self.recorder.step(f"{size} new")
        if not self.launched():
            return
        check_held(self.lock)
        self.changes += scale_group(self.new, size)
        if size:
            await_healthy(self.new, self.role, self.plan.min_healthy_time)
