"""The commands that operators give on the simulated cloud, each under the lock, as the flows do it."""

from __future__ import annotations

from dataclasses import dataclass

from tasks import rollout
from tasks.errors import NotFound, NotReady, RolledBack, TyrellError, UsageError
from tasks.marks import LEFT, pinned_for
from tasks.retention import Fate, check_may_go, find_due
from tasks.rollouts import FULL, Rollout
from tests.tasks.hands import Fault, Hand
from tests.tasks.simulated_rollout import Luck, SimulatedTraffic
from tests.tasks.simulation import Cloud


@dataclass(frozen=True)
class Command:
    """One command; `run` raises what the flow would."""

    def run(self, cloud: Cloud, at: int = 0, fault: Fault | None = None) -> None:
        """Do it under a new lock, with the fault before the act of that number."""
        self.carry_out(cloud, Hand(cloud, at, fault))

    def carry_out(self, cloud: Cloud, hand: Hand) -> None:
        """What is done under the lock."""
        raise NotImplementedError

    def tried(self, cloud: Cloud) -> TyrellError | None:
        """Do it undisturbed; the error it ended with."""
        try:
            self.run(cloud)
        except TyrellError as error:
            return error
        return None


CANARY = Rollout()
GOOD = Luck()


@dataclass(frozen=True)
class Upgrade(Command):
    """See `flows.upgrade`."""

    new: str
    plan: Rollout = CANARY
    luck: Luck = GOOD
    force: bool = False

    def carry_out(self, cloud: Cloud, hand: Hand) -> None:
        old = find_replaced(cloud, self.new)
        if old is None:
            return
        if self.new in cloud.bad and not self.force:
            raise UsageError(f"{self.new} has failed before")
        if not cloud.healthy[old] and not self.force:
            raise NotReady(old, ("no machine is healthy",))
        cloud.bad.pop(self.new, None)
        size = cloud.groups[old].desired
        try:
            rollout.replace(SimulatedTraffic(hand, old, self.new, self.plan, self.luck), self.plan)
        except (RolledBack, NotReady) as error:
            self._leaves_all_as_it_was(cloud, old, size, error)
            raise
        cloud.expect(cloud.shares == {self.new: FULL}, f"{self.new} has taken over, and traffic is {cloud.shares}")
        cloud.expect(not cloud.pinned(), f"{cloud.pinned()} stay pinned after an upgrade")
        retire_due(cloud, hand)

    def _leaves_all_as_it_was(self, cloud: Cloud, old: str, size: int, error: TyrellError) -> None:
        if isinstance(error, NotReady):  # the old version is dead: all is left for whoever mends it
            cloud.expect(cloud.healthy[old] == 0, f"{error}, and {old} could have served")
            return
        cloud.expect(cloud.shares == {old: FULL}, f"rolled back, and traffic is {cloud.shares}")
        cloud.expect(cloud.groups[old].desired == size, f"rolled back, and {old} has not {size} machines")
        cloud.expect(not cloud.pinned(), f"{cloud.pinned()} stay pinned after going back")
        cloud.expect(not cloud.groups[self.new].desired, f"rolled back, and {self.new} keeps machines")


@dataclass(frozen=True)
class RollBack(Command):
    """See `flows.rollback`."""

    def carry_out(self, cloud: Cloud, hand: Hand) -> None:
        leaving = find_leaving(cloud)
        back = find_way_back(cloud, leaving)
        if back in cloud.bad:
            raise UsageError(f"{back} has failed before")
        if not cloud.healthy[back]:
            raise NotReady(back, ("no machine is healthy",))
        traffic = SimulatedTraffic(hand, back, leaving, CANARY, GOOD)
        traffic.shift_back()
        traffic.condemn("rolled back by hand")
        traffic.unpin()
        traffic.dismiss()


@dataclass(frozen=True)
class Prune(Command):
    """See `flows.prune`."""

    def carry_out(self, cloud: Cloud, hand: Hand) -> None:
        retire_due(cloud, hand)


@dataclass(frozen=True)
class Retire(Command):
    """See `flows.retire`."""

    name: str

    def carry_out(self, cloud: Cloud, hand: Hand) -> None:
        if self.name not in cloud.groups:
            raise NotFound(self.name, "there are others")
        check_may_go(cloud.groups[self.name], cloud.shares, cloud.now, force=False)
        hand.write(f"delete {self.name}")
        cloud.delete(self.name)


@dataclass(frozen=True)
class Scale(Command):
    """See `flows.scale`."""

    size: int

    def carry_out(self, cloud: Cloud, hand: Hand) -> None:
        if len(cloud.shares) > 1:
            raise UsageError("between two versions")
        (live,) = cloud.shares
        hand.write(f"scale {live} to {self.size}")
        cloud.resize(live, self.size)
        cloud.boot(live)


def find_replaced(cloud: Cloud, new: str) -> str | None:
    """See `tasks.versions.find_replaced`."""
    others = [name for name in cloud.shares if name != new]
    before = [name for name, group in cloud.groups.items() if pinned_for(group) == new != name]
    if not others:
        return before[0] if before else None
    if len(others) > 1:
        raise UsageError("between two versions")
    return others[0]


def find_leaving(cloud: Cloud) -> str:
    """See `tasks.versions.find_leaving`."""
    unfinished = [name for name, group in cloud.groups.items() if pinned_for(group) == name]
    return unfinished[0] if unfinished else min(cloud.shares, key=lambda name: cloud.shares[name])


def find_way_back(cloud: Cloud, leaving: str) -> str:
    """See `tasks.versions.find_way_back`."""
    groups = {name: group for name, group in cloud.groups.items() if name != leaving}
    for name, group in groups.items():
        if pinned_for(group) == leaving or name in cloud.shares:
            return name
    good = [name for name, group in groups.items() if LEFT in group.tags and name not in cloud.bad]
    if not good:
        raise NotFound("a version known good to go back to", "there is none")
    return max(good, key=lambda name: groups[name].tags[LEFT])


def retire_due(cloud: Cloud, hand: Hand) -> None:
    """See `tasks.retiring.retire_due`."""
    for due in find_due(tuple(cloud.groups.values()), cloud.shares, cloud.bad, CANARY, cloud.now):
        name = due.version.id
        hand.write(f"stop {name}")
        cloud.unpin(name)
        cloud.resize(name, 0)
        if due.fate is Fate.delete:
            hand.write(f"delete {name}")
            cloud.delete(name)
