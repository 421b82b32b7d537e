"""The size of a group: where instances are launched, which ones leave, and which sizes are refused."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.local.autoscaling.builders import NOW, TEMPLATE, a_group, a_member
from tyrell.local.autoscaling import actions as do
from tyrell.local.autoscaling.capacity import resize, towards_desired, victims
from tyrell.local.autoscaling.errors import ValidationError
from tyrell.local.autoscaling.records import Group
from tyrell.local.autoscaling.states import State


def scale_in(group: Group) -> list[str]:
    return [step.instance_id for step in towards_desired(group, set(), NOW) if isinstance(step, do.TakeOut)]


def test_launches_even_out_the_subnets() -> None:
    group = a_group(a_member(1), a_member(2), desired=6)
    launches = towards_desired(group, set(), NOW)
    load = Counter(step.subnet for step in launches if isinstance(step, do.Launch))
    assert load == {"subnet-a": 1, "subnet-b": 3}


def test_a_launch_says_why() -> None:
    group = a_group(desired=2, reason="At 2026-11-22T13:59:59Z a user request did it.")
    (first, _) = towards_desired(group, set(), NOW)
    assert isinstance(first, do.Launch)
    assert first.cause == (
        "At 2026-11-22T13:59:59Z a user request did it.  At 2026-11-22T14:00:00Z an instance was started in response "
        "to a difference between desired and actual capacity, increasing the capacity from 0 to 2."
    )


def test_the_replacement_of_an_unhealthy_instance_says_so() -> None:
    group = a_group(a_member(1, State.TERMINATING, healthy=False))
    (launch,) = towards_desired(group, set(), NOW)
    assert isinstance(launch, do.Launch)
    assert launch.cause.endswith("was launched in response to an unhealthy instance needing to be replaced.")


def test_an_instance_that_is_taken_out_anyway_is_not_counted_twice() -> None:
    group = a_group(a_member(1), a_member(2), a_member(3), desired=2)
    assert towards_desired(group, {"i-3"}, NOW) == []


def test_instances_on_standby_and_leaving_ones_do_not_count() -> None:
    group = a_group(a_member(1, State.STANDBY), a_member(2, State.TERMINATING_WAIT), desired=1)
    assert [type(step) for step in towards_desired(group, set(), NOW)] == [do.Launch]


def test_no_launch_before_the_next_attempt_is_due() -> None:
    group = a_group(desired=1, retry_at=NOW + timedelta(seconds=1))
    assert towards_desired(group, set(), NOW) == []
    assert len(towards_desired(group, set(), NOW + timedelta(seconds=1))) == 1


@pytest.mark.parametrize(("process", "desired"), [("Launch", 3), ("Terminate", 1)])
def test_suspended_processes_leave_the_size_as_it_is(process: str, desired: int) -> None:
    group = a_group(a_member(1), a_member(2), desired=desired, suspended={process: ""})
    assert towards_desired(group, set(), NOW) == []


def test_the_fullest_subnet_gives_up_an_instance_whatever_the_policy() -> None:
    members = [a_member(9, subnet="subnet-b"), a_member(2), a_member(1)]
    for policy in ("Default", "OldestInstance", "NewestInstance"):
        group = a_group(*members, desired=2, termination_policies=(policy,))
        assert scale_in(group) != ["i-9"]


@pytest.mark.parametrize(
    ("policy", "victim"), [("Default", "i-3"), ("OldestInstance", "i-3"), ("NewestInstance", "i-1")]
)
def test_the_termination_policy_chooses_among_equals(policy: str, victim: str) -> None:
    group = a_group(a_member(1), a_member(2), a_member(3), desired=2, termination_policies=(policy,))
    assert scale_in(group) == [victim]


def test_by_default_the_oldest_template_version_goes_before_the_oldest_instance() -> None:
    older_version = replace(TEMPLATE, version="1")
    group = a_group(a_member(1, template=older_version), a_member(5), desired=1)
    assert scale_in(group) == ["i-1"]


def test_by_default_an_instance_of_another_template_goes_first() -> None:
    other = replace(TEMPLATE, id="lt-2", version="7")
    group = a_group(a_member(1, template=other), a_member(5, template=replace(TEMPLATE, version="1")), desired=1)
    assert scale_in(group) == ["i-1"]


def test_protected_instances_are_never_scaled_in() -> None:
    group = a_group(a_member(1, protected=True), a_member(2), a_member(3, protected=True), desired=0)
    assert scale_in(group) == ["i-2"]


def test_scale_in_keeps_the_subnets_even() -> None:
    members = [a_member(n, subnet=f"subnet-{'ab'[n % 2]}") for n in range(1, 9)]
    group = a_group(*members)
    left = [member for member in members if member not in victims(group, members, 4)]
    assert Counter(member.subnet for member in left) == {"subnet-a": 2, "subnet-b": 2}


@pytest.mark.parametrize(
    ("change", "result"),
    [
        ((3, None, None), (3, 4, 3)),
        ((None, 1, None), (1, 1, 1)),
        ((0, 9, 7), (0, 9, 7)),
        ((None, None, 4), (1, 4, 4)),
        ((None, None, None), (1, 4, 2)),
    ],
)
def test_a_desired_capacity_that_is_not_given_moves_into_the_new_bounds(
    change: tuple[int | None, int | None, int | None], result: tuple[int, int, int]
) -> None:
    group = a_group(minimum=1, maximum=4, desired=2)
    resize(group, *change)
    assert (group.minimum, group.maximum, group.desired) == result


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ((None, None, 5), "Desired capacity:5 must be between the specified min size:1 and max size:4"),
        ((5, None, None), "Max bound, 4, must be greater than or equal to min bound, 5"),
        ((-1, None, None), "Min and max size of an AutoScalingGroup must not be negative"),
    ],
)
def test_an_impossible_size_is_refused_and_changes_nothing(
    change: tuple[int | None, int | None, int | None], message: str
) -> None:
    group = a_group(minimum=1, maximum=4, desired=2)
    with pytest.raises(ValidationError) as refusal:
        resize(group, *change)
    assert refusal.value.message == message
    assert (group.minimum, group.maximum, group.desired) == (1, 4, 2)
