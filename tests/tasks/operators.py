"""The commands that operators give on the simulated cloud, each under the lock, as the flows do it."""

from __future__ import annotations

from dataclasses import dataclass

from tasks import rollout
from tasks.errors import NotFound, NotReady, RolledBack, TyrellError, UsageError
from tasks.retention import Fate, check_may_go, find_due
from tasks.roles import load_role
from tasks.rollouts import FULL, Rollout
from tasks.succession import left_by_rollback, only_one, replaced, way_back
from tests.tasks.hands import Fault, Hand
from tests.tasks.simulated_rollout import Luck, SimulatedTraffic
from tests.tasks.simulated_tasks import condemn, give, stop, unpin_all, use
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


ROLE = load_role("router")
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
        if self.new in cloud.bad:
            hand.write(f"pardon {self.new}")
            del cloud.bad[self.new]
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
        leaving = left_by_rollback("", ROLE, cloud.by_name(), cloud.shares)
        assert leaving, "without a version to go back to there is always one to leave"
        back = way_back(leaving, ROLE, cloud.by_name(), cloud.shares, cloud.bad)
        if back in cloud.bad:
            raise UsageError(f"{back} has failed before")
        if not cloud.healthy[back]:
            raise NotReady(back, ("no machine is healthy",))
        there = [leaving] if leaving in cloud.groups else []
        for name in (*there, back):
            hand.write(f"pin {name}")
            cloud.pin(name, leaving, hold=False)
        give(hand, {back: FULL}, all_healthy=False)
        condemn(hand, leaving, "rolled back by hand")
        use(hand, back)
        for name in there:
            stop(hand, name)
        hand.check_held()
        unpin_all(hand, last=back)


@dataclass(frozen=True)
class Switch(Command):
    """See `flows.switch`: to any version that is there and healthy; nobody is so bold as to take one that is bad."""

    name: str

    def carry_out(self, cloud: Cloud, hand: Hand) -> None:
        if self.name not in cloud.groups or self.name in cloud.bad:
            raise NotFound(self.name, "there are others")
        before = [name for name in cloud.shares if cloud.shares == {name: FULL} != {self.name: FULL}]
        give(hand, {self.name: FULL}, all_healthy=True)
        for name in before:
            hand.write(f"{name} has served")
            cloud.mark_left(name, CANARY.rollback_window)
        use(hand, self.name)


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
        stop(hand, self.name)
        hand.write(f"delete {self.name}")
        cloud.delete(self.name)


@dataclass(frozen=True)
class Scale(Command):
    """See `flows.scale`."""

    size: int

    def carry_out(self, cloud: Cloud, hand: Hand) -> None:
        live = only_one(ROLE, cloud.shares, "is scaled")
        hand.write(f"scale {live} to {self.size}")
        cloud.resize(live, self.size)
        cloud.boot(live)


def find_replaced(cloud: Cloud, new: str) -> str | None:
    """See `tasks.versions.find_replaced`."""
    return replaced(new, ROLE, cloud.by_name(), cloud.shares)


def retire_due(cloud: Cloud, hand: Hand) -> None:
    """See `tasks.retiring.retire_due`."""
    for due in find_due(cloud.by_name(), cloud.shares, cloud.bad, CANARY, cloud.now):
        name = due.version.id
        stop(hand, name)
        if due.fate is Fate.delete:
            hand.write(f"delete {name}")
            cloud.delete(name)
