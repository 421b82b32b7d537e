"""The decision for one instance: which step comes next until it is in service, and what ends that."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.local.autoscaling.builders import NOW, a_group, a_member, seen
from tyrell.local.autoscaling import actions as do
from tyrell.local.autoscaling.holds import heartbeat, hold
from tyrell.local.autoscaling.observed import Seen, Target
from tyrell.local.autoscaling.reconcile import decide
from tyrell.local.autoscaling.records import LAUNCHING, Group, Hook, Member
from tyrell.local.autoscaling.states import State

WEB = "arn:web"
SICK = Target(WEB, "unhealthy", "Health checks failed with these codes: [500]")
LAUNCH_HOOK = Hook("warm-up", LAUNCHING, heartbeat=60)


def elb_group(member: Member, **more: Any) -> Group:
    member.wanted_targets, member.registered = {WEB}, {WEB}
    return a_group(member, **{"health_check": "ELB", "target_groups": [WEB], **more})


def test_a_running_instance_is_put_in_service() -> None:
    member = a_member(state=State.PENDING)
    assert decide(a_group(member), seen(member), NOW) == [do.PutInService("i-1")]


def test_an_instance_that_still_boots_is_waited_for() -> None:
    member = a_member(state=State.PENDING)
    assert decide(a_group(member), seen(member, state="pending"), NOW) == []


def test_a_launch_hook_holds_the_instance_before_it_is_in_service() -> None:
    member = a_member(state=State.PENDING)
    group = a_group(member, hooks={"warm-up": LAUNCH_HOOK})
    assert decide(group, seen(member), NOW) == [do.HoldForHooks("i-1", LAUNCHING)]


@pytest.mark.parametrize("state", ["shutting-down", "terminated", "stopped"])
@pytest.mark.parametrize("lifecycle", [State.PENDING, State.PENDING_WAIT])
def test_an_instance_that_dies_at_launch_is_a_failed_launch(lifecycle: State, state: str) -> None:
    member = a_member(state=lifecycle)
    looks = replace(seen(member, state=state), reasons={"i-1": "Disk is full."})
    (step, *_) = decide(a_group(member), looks, NOW)
    assert isinstance(step, do.TakeOut)
    assert step.failed_launch == f"Instance became {state} before it was in service. Disk is full."


@pytest.mark.parametrize(("result", "steps"), [("CONTINUE", [do.PutInService("i-1")]), (None, [])])
def test_a_held_instance_waits_for_the_result(result: Any, steps: list[do.Action]) -> None:
    held = hold(LAUNCH_HOOK, NOW)
    held.result = result
    member = a_member(state=State.PENDING_WAIT, holds={"warm-up": held})
    assert decide(a_group(member), seen(member), NOW) == steps


def test_a_hook_that_is_never_answered_ends_with_its_default_result() -> None:
    member = a_member(state=State.PENDING_WAIT, holds={"warm-up": hold(LAUNCH_HOOK, NOW)})
    (step, *_) = decide(a_group(member), seen(member), NOW + timedelta(seconds=60))
    assert isinstance(step, do.TakeOut)
    assert step.failed_launch.endswith("was abandoned: Heartbeat Timeout")


def test_one_abandoned_hook_of_two_abandons_the_launch() -> None:
    abandoned = replace(hold(LAUNCH_HOOK, NOW), result="ABANDON")
    member = a_member(state=State.PENDING_WAIT, holds={"a": hold(LAUNCH_HOOK, NOW), "b": abandoned})
    (step, *_) = decide(a_group(member), seen(member), NOW)
    assert isinstance(step, do.TakeOut)
    assert step.failed_launch.endswith("Lifecycle Action Completed with ABANDON Result")


def test_heartbeats_hold_on_but_not_beyond_a_hundred_of_them() -> None:
    held = hold(LAUNCH_HOOK, NOW)
    heartbeat(held, NOW + timedelta(seconds=59))
    assert held.until == NOW + timedelta(seconds=119)
    heartbeat(held, NOW + timedelta(seconds=5999))
    assert held.until == NOW + timedelta(seconds=6000)


@pytest.mark.parametrize("state", ["stopping", "stopped", "shutting-down", "terminated", "pending", None])
def test_an_instance_that_does_not_run_is_unhealthy_at_once(state: str | None) -> None:
    member = a_member(in_service_since=NOW)
    looks = seen(member, state=state) if state else Seen({})
    steps = decide(a_group(member, grace_seconds=300), looks, NOW)
    assert steps == [do.MarkUnhealthy("i-1", "an EC2 health check indicating it has been terminated or stopped")]


def test_a_failed_load_balancer_check_says_what_the_load_balancer_said() -> None:
    member = a_member()
    assert decide(elb_group(member), seen(member, target=SICK), NOW) == [
        do.MarkUnhealthy("i-1", "an ELB system health check failure (Health checks failed with these codes: [500])")
    ]


@pytest.mark.parametrize(
    ("changes", "target"),
    [
        ({"health_check": "EC2"}, SICK),
        ({"grace_seconds": 3600}, SICK),
        ({"suspended": {"HealthCheck": ""}}, SICK),
        ({}, Target(WEB, "healthy")),
        ({}, Target(WEB, "initial")),
        ({}, Target(WEB, "unused")),
        ({}, Target("arn:no-longer-attached", "unhealthy")),
    ],
    ids=["EC2 check only", "in grace", "suspended", "healthy", "initial", "unused", "not the group's"],
)
def test_an_instance_stays_in_service(changes: dict[str, Any], target: Target) -> None:
    member = a_member()
    assert decide(elb_group(member, **changes), seen(member, target=target), NOW) == []


def test_an_unhealthy_instance_is_taken_out_with_the_reason() -> None:
    member = a_member(healthy=False, sickness="a user health-check")
    (step, *_) = decide(a_group(member), seen(member), NOW)
    assert step == do.TakeOut(
        "i-1",
        "At 2026-11-22T14:00:00Z an instance was taken out of service in response to a user health-check.",
    )


@pytest.mark.parametrize("process", ["ReplaceUnhealthy", "Terminate"])
def test_an_unhealthy_instance_stays_while_replacing_is_suspended(process: str) -> None:
    member = a_member(healthy=False)
    assert decide(a_group(member, suspended={process: ""}), seen(member), NOW) == []
