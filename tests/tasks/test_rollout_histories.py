"""Upgrades that were killed, overslept, or left for another command: histories that once ended badly."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import pytest

from tasks.errors import Disproved, LockLost, NotReady, RolledBack, UsageError
from tasks.marks import LEFT
from tasks.pins import pinned_for
from tasks.rollout import replace_in_batches
from tasks.rollouts import FULL, Rollout, Strategy
from tests.tasks.hands import Fault, Hand, Killed
from tests.tasks.operators import Command, RollBack, Switch, Upgrade
from tests.tasks.simulated_rollout import Luck, SimulatedBatches
from tests.tasks.simulation import SIZE, Cloud, a_cloud

BLUE_GREEN = Rollout(strategy=Strategy.blue_green)
ROLLING = Rollout(strategy=Strategy.rolling)


@dataclass(frozen=True)
class Batches(Command):
    """An upgrade of a role without traffic."""

    old: str
    new: str

    def carry_out(self, cloud: Cloud, hand: Hand) -> None:
        replace_in_batches(SimulatedBatches(hand, self.old, self.new, ROLLING, Luck()), ROLLING)


def interrupted(cloud: Cloud, command: Command, before: str, fault: Fault) -> None:
    """Run the command; the fault happens before the act of that name."""
    foreseen = copy.deepcopy(cloud)
    foreseen.journal.clear()
    command.tried(foreseen)
    command.run(cloud, foreseen.journal.index(before) + 1, fault)


def killed(cloud: Cloud, command: Command, before: str) -> None:
    """Run the command until it is killed, before the act of that name."""

    def kill() -> None:
        raise Killed

    with pytest.raises(Killed):
        interrupted(cloud, command, before, kill)


def pins(cloud: Cloud) -> dict[str, str]:
    """Whose size is held, and for the upgrade to which version."""
    return {group.version.id: pinned_for(group) for group in cloud.by_name() if pinned_for(group)}


def served(cloud: Cloud) -> list[str]:
    """The versions that are known to have served."""
    return [group.version.id for group in cloud.by_name() if LEFT in group.tags]


@pytest.fixture
def left() -> Cloud:
    """An upgrade from one to two was killed at its last gate; then version three got all traffic by hand."""
    cloud = a_cloud()
    cloud.create("three")
    cloud.resize("three", SIZE)
    cloud.boot("three")
    killed(cloud, Upgrade("two", BLUE_GREEN), before="gate at 100 %")
    Switch("three").run(cloud)
    assert pins(cloud) == {"one": "two", "two": "two"}
    return cloud


def test_an_upgrade_lets_go_of_what_an_upgrade_held_that_was_left_for_it(left: Cloud) -> None:
    killed(left, Upgrade("four"), before="create four")
    assert pins(left) == {"three": "four"}


def test_an_upgrade_begun_anew_remembers_where_it_comes_from_now_and_not_the_first_time(left: Cloud) -> None:
    again = Upgrade("two", BLUE_GREEN)
    killed(left, again, before="gate at 100 %")
    again.run(left)
    assert served(left) == ["three"]
    assert not pins(left)


def test_a_rollback_keeps_the_version_at_work_whatever_an_upgrade_left_behind_held(left: Cloud) -> None:
    killed(left, Upgrade("two", BLUE_GREEN), before="unpin one")
    assert pins(left) == {"one": "two", "two": "two", "three": "two"}
    RollBack().run(left)
    assert left.shares == {"three": FULL}
    assert not pins(left)


def test_a_rollback_ends_the_last_of_two_upgrades_that_died() -> None:
    cloud = a_cloud()
    killed(cloud, Upgrade("two", BLUE_GREEN), before="gate at 100 %")
    killed(cloud, Upgrade("three"), before="unpin one")
    assert pins(cloud) == {"one": "two", "two": "three"}
    RollBack().run(cloud)
    assert cloud.shares == {"two": FULL}
    assert not pins(cloud)


def test_no_upgrade_goes_back_to_where_an_unfinished_one_comes_from() -> None:
    cloud = a_cloud()
    Upgrade("three").run(cloud)
    killed(cloud, Upgrade("one", BLUE_GREEN), before="gate at 100 %")
    with pytest.raises(NotReady):
        Upgrade("two", luck=Luck(gate=Disproved, gate_at=1, old_dies=True)).run(cloud)
    with pytest.raises(UsageError, match="an unfinished upgrade goes from router one to two"):
        Upgrade("one").run(cloud)
    assert pins(cloud) == {"one": "two", "two": "two"}
    cloud.boot("one")
    RollBack().run(cloud)
    assert cloud.shares == {"one": FULL}


def test_an_upgrade_that_died_before_it_made_its_version_can_be_rolled_back() -> None:
    cloud = a_cloud()
    before = cloud.groups["one"]
    killed(cloud, Upgrade("two"), before="create two")
    RollBack().run(cloud)
    assert cloud.groups == {"one": before}
    assert cloud.shares == {"one": FULL}


def test_a_version_that_has_its_traffic_back_is_not_marked_as_one_that_gave_it_away() -> None:
    cloud, bad = a_cloud(), Upgrade("two", luck=Luck(steady=Disproved))
    killed(cloud, Upgrade("two"), before="unpin two")
    assert served(cloud) == ["one"]
    killed(cloud, bad, before="use one")
    assert cloud.shares == {"one": FULL}
    with pytest.raises(RolledBack):
        bad.run(cloud)
    assert served(cloud) == []


def test_a_run_that_slept_through_a_rollback_at_its_very_end_does_not_say_that_it_has_taken_over() -> None:
    cloud = a_cloud()
    with pytest.raises(LockLost):
        interrupted(cloud, Upgrade("two"), before="drain one", fault=lambda: RollBack().run(cloud))
    assert cloud.shares == {"one": FULL}
    assert not cloud.wrongs


def test_batches_begun_after_some_that_died_at_their_end_are_as_many_as_there_are_machines() -> None:
    cloud = a_cloud()
    killed(cloud, Batches("one", "two"), before="unpin two")
    Batches("two", "three").run(cloud)
    assert {name: group.desired for name, group in cloud.groups.items()} == {"one": 0, "two": 0, "three": SIZE}
    assert not pins(cloud)
