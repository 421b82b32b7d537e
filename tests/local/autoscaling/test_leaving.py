"""The decision for an instance that leaves its target groups, its service or its group."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.local.autoscaling.builders import NOW, a_group, a_member, seen
from tyrell.local.autoscaling import actions as do
from tyrell.local.autoscaling.holds import hold
from tyrell.local.autoscaling.observed import Seen, Target
from tyrell.local.autoscaling.reconcile import decide
from tyrell.local.autoscaling.records import TERMINATING, Group, Hook
from tyrell.local.autoscaling.states import State

WEB = "arn:web"
DRAINING = Target(WEB, "draining")
LEAVE_HOOK = Hook("say-goodbye", TERMINATING, heartbeat=60, default="CONTINUE")


def leaving(state: State = State.TERMINATING, **more: Any) -> Group:
    return a_group(a_member(state=state, **more), desired=0)


def test_an_instance_is_moved_into_and_out_of_target_groups() -> None:
    member = a_member(wanted_targets={"new"}, registered={"old"})
    assert decide(a_group(member), seen(member), NOW) == [do.Deregister("i-1", frozenset({"old"}))]
    member.registered = set()
    assert decide(a_group(member), seen(member), NOW) == [do.Register("i-1", frozenset({"new"}))]


def test_a_leaving_instance_is_first_deregistered() -> None:
    group = leaving(registered={WEB})
    assert decide(group, seen(*group.members.values()), NOW) == [do.Deregister("i-1", frozenset({WEB}))]


@pytest.mark.parametrize(
    ("drained_by", "state", "target", "steps"),
    [
        (NOW + timedelta(seconds=9), "running", DRAINING, []),
        (NOW, "running", DRAINING, [do.Terminate("i-1")]),
        (NOW + timedelta(seconds=9), "running", Target(WEB, "unused"), [do.Terminate("i-1")]),
        (NOW + timedelta(seconds=9), "terminated", DRAINING, [do.Terminate("i-1")]),
    ],
    ids=["draining", "deregistration delay is over", "drained", "nobody left to drain"],
)
def test_a_leaving_instance_is_drained_before_it_is_terminated(
    drained_by: Any, state: str, target: Target, steps: list[do.Action]
) -> None:
    group = leaving(draining={WEB}, drained_by=drained_by)
    assert decide(group, seen(*group.members.values(), state=state, target=target), NOW) == steps


def test_a_termination_hook_comes_after_draining_and_before_the_end() -> None:
    group = leaving()
    group.hooks = {LEAVE_HOOK.name: LEAVE_HOOK}
    looks = seen(*group.members.values())
    assert decide(group, looks, NOW) == [do.HoldForHooks("i-1", TERMINATING)]
    group.members["i-1"].state = State.TERMINATING_WAIT
    group.members["i-1"].holds = {LEAVE_HOOK.name: hold(LEAVE_HOOK, NOW)}
    assert decide(group, looks, NOW) == []
    assert decide(group, looks, NOW + timedelta(seconds=60)) == [do.Terminate("i-1")]


def test_deleting_the_group_ends_outstanding_lifecycle_actions() -> None:
    group = leaving(State.TERMINATING_WAIT, holds={LEAVE_HOOK.name: hold(LEAVE_HOOK, NOW)})
    group.deleting = True
    assert decide(group, seen(*group.members.values()), NOW) == [do.Terminate("i-1")]


@pytest.mark.parametrize(
    ("state", "steps"),
    [("running", []), ("shutting-down", []), ("terminated", [do.Forget("i-1")]), (None, [do.Forget("i-1")])],
)
@pytest.mark.parametrize("lifecycle", [State.TERMINATING, State.TERMINATING_PROCEED])
def test_an_instance_is_forgotten_only_when_it_is_terminated(
    lifecycle: State, state: str | None, steps: list[do.Action]
) -> None:
    group = leaving(lifecycle, termination_asked=True)
    looks = seen(*group.members.values(), state=state) if state else Seen({})
    assert decide(group, looks, NOW) == steps


def test_an_instance_stands_by_once_it_is_out_of_its_target_groups() -> None:
    group = leaving(State.ENTERING_STANDBY, registered={WEB})
    (member,) = group.members.values()
    assert decide(group, seen(member), NOW) == [do.Deregister("i-1", frozenset({WEB}))]
    member.registered, member.draining, member.drained_by = set(), {WEB}, NOW + timedelta(seconds=5)
    assert decide(group, seen(member, target=DRAINING), NOW) == []
    assert decide(group, seen(member), NOW) == [do.StandBy("i-1")]


def test_an_instance_on_standby_may_be_stopped() -> None:
    group = leaving(State.STANDBY)
    assert decide(group, seen(*group.members.values(), state="stopped"), NOW) == []


def test_deleting_the_group_takes_every_instance_out_whatever_protects_it() -> None:
    group = a_group(a_member(1, protected=True), a_member(2, State.STANDBY), suspended={"Terminate": ""}, deleting=True)
    group.desired = 0
    steps = decide(group, seen(*group.members.values()), NOW)
    assert [type(step) for step in steps] == [do.TakeOut, do.TakeOut]
