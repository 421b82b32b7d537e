"""Whatever happens to a group, it comes back to what is desired, evenly spread and within its bounds."""

from __future__ import annotations

import itertools
from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.local.autoscaling.builders import NOW, TEMPLATE, a_group
from tyrell.local.autoscaling import actions as do
from tyrell.local.autoscaling.act import Actor, note
from tyrell.local.autoscaling.capacity import resize
from tyrell.local.autoscaling.groups import Groups
from tyrell.local.autoscaling.observed import Seen
from tyrell.local.autoscaling.reconcile import decide
from tyrell.local.autoscaling.records import Group
from tyrell.local.autoscaling.states import COUNTED
from tyrell.local.autoscaling.world import Launched, World

MAXIMUM = 7


class MemoryWorld(World):
    """An EC2 whose instances run as soon as they are launched, and which remembers them all."""

    def __init__(self) -> None:
        self.running: dict[str, str] = {}
        self._numbers = itertools.count()

    def launch(self, group: Group, subnet: str) -> Launched:
        instance_id = f"i-{next(self._numbers)}"
        self.running[instance_id] = "running"
        return Launched(instance_id, subnet, "us-east-1a", "t3.small", "ami-1", TEMPLATE)

    def terminate(self, instance_id: str) -> None:
        self.running[instance_id] = "terminated"


class AGroupUnderFire(RuleBasedStateMachine):
    """Resizes, kills and suspensions in any order; after each, the group is left to itself until it rests."""

    @initialize(subnets=st.integers(1, 4))
    def create(self, subnets: int) -> None:
        self.group = a_group(maximum=MAXIMUM, subnets=tuple(f"subnet-{number}" for number in range(subnets)))
        self.world = MemoryWorld()
        self.actor = Actor(self.world, Groups(), lambda: NOW)

    def rest(self) -> None:
        """Reconcile until there is nothing to do; 30 rounds are far more than the longest way takes."""
        for _ in range(30):
            actions = decide(self.group, Seen(dict(self.world.running)), NOW)
            if not actions:
                return
            for action in actions:
                if isinstance(action, do.Note):
                    note(self.group, action, NOW)
                else:
                    self.actor.carry_out(self.group, action)
                self.never_more_than_the_maximum()
        raise AssertionError(f"still busy: {actions}")

    def kill(self, which: set[int]) -> int:
        """Terminate some of the group's instances behind its back; how many."""
        members = list(self.group.members)
        lost = {members[number % len(members)] for number in which} if members else set()
        for instance_id in lost:
            self.world.running[instance_id] = "terminated"
        return len(lost)

    @rule(desired=st.integers(0, MAXIMUM))
    def resized(self, desired: int) -> None:
        resize(self.group, None, None, desired)
        self.rest()

    @rule(which=st.sets(st.integers(0, 99), max_size=MAXIMUM))
    def instances_lost(self, which: set[int]) -> None:
        self.kill(which)
        self.rest()

    @rule(which=st.sets(st.integers(0, 99), max_size=MAXIMUM))
    def instances_lost_while_launching_is_suspended(self, which: set[int]) -> None:
        self.group.suspended["Launch"] = "User suspended"
        lost = self.kill(which)
        self.rest()
        assert len(self.group.members) == self.group.desired - lost
        self.group.suspended.clear()
        self.rest()

    def never_more_than_the_maximum(self) -> None:
        assert sum(member.state in COUNTED for member in self.group.members.values()) <= MAXIMUM

    @invariant()
    def it_has_what_is_desired(self) -> None:
        running = {instance_id for instance_id, state in self.world.running.items() if state == "running"}
        assert running == set(self.group.members)
        assert len(running) == self.group.desired

    @invariant()
    def its_subnets_differ_by_one_at_most(self) -> None:
        load = Counter(dict.fromkeys(self.group.subnets, 0))
        load.update(member.subnet for member in self.group.members.values())
        assert max(load.values()) - min(load.values()) <= 1


TestAGroupUnderFire = AGroupUnderFire.TestCase
TestAGroupUnderFire.settings = settings(max_examples=15, stateful_step_count=12, deadline=None)
