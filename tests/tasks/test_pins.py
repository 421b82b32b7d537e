"""Holding a group's size and letting go of it: in Auto Scaling, and just so in the simulation of rollouts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tasks.clients import autoscaling, ec2
from tasks.groups import find_group, scale_group
from tasks.marks import pin, unpin
from tasks.model import Group
from tasks.pins import SUSPENDED, Pin, pin_of
from tests.link.aws_server import REGION
from tests.tasks.own_aws import own_aws
from tests.tasks.simulation import LARGEST, SIZE, a_cloud, a_version

pytestmark = pytest.mark.cloud

ONE = a_version("one")
NAME = "lab-router-one"


@pytest.fixture(scope="module")
def aws() -> Iterator[None]:
    """This process's AWS, which can start machines."""
    with own_aws():
        image = ec2().register_image(Name=NAME)["ImageId"]
        autoscaling().create_launch_configuration(LaunchConfigurationName=NAME, ImageId=image, InstanceType="t3.micro")
        yield


@pytest.fixture(autouse=True)
def one(aws: None) -> Iterator[None]:
    """Version `one` as `a_cloud` has it, in Auto Scaling."""
    autoscaling().create_auto_scaling_group(
        AutoScalingGroupName=NAME,
        LaunchConfigurationName=NAME,
        MinSize=0,
        MaxSize=LARGEST,
        DesiredCapacity=SIZE,
        AvailabilityZones=[f"{REGION}a"],
        Tags=[{"Key": key, "Value": value} for key, value in ONE.tags.items()],
    )
    yield
    autoscaling().delete_auto_scaling_group(AutoScalingGroupName=NAME, ForceDelete=True)


def hold(group: Group) -> tuple[Pin | None, int, int, set[str]]:
    """What holds the group's size: the tag, the minimum, the size itself, and which processes are suspended."""
    return pin_of(group), group.min, group.desired, set(group.suspended)


@pytest.mark.parametrize(
    "history",
    [
        ["pin two", "unpin"],
        ["pin two", "pin two", "unpin", "unpin"],
        ["pin two", "scale 5", "pin three", "scale 2", "unpin"],
        ["pin two loosely", "scale 1", "pin two loosely", "pin three", "unpin"],
    ],
    ids=["once", "again and again", "by one upgrade and then another", "in batches"],
)
def test_the_simulation_holds_a_group_as_auto_scaling_does(history: list[str]) -> None:
    cloud = a_cloud()
    for change in history:
        match change.split():
            case ["pin", to, *loosely]:
                pin.fn(find_group(ONE), to, hold=not loosely)
                cloud.pin("one", to, hold=not loosely)
            case ["scale", size]:
                scale_group.fn(ONE, int(size))
                cloud.resize("one", int(size))
            case _:
                unpin.fn(find_group(ONE))
                cloud.unpin("one")
        assert hold(find_group(ONE)) == hold(cloud.groups["one"]), change


def test_what_somebody_else_suspended_stays_suspended() -> None:
    autoscaling().suspend_processes(AutoScalingGroupName=NAME, ScalingProcesses=["AlarmNotification"])
    pin.fn(find_group(ONE), "two")
    assert hold(find_group(ONE)) == (
        Pin(to="two", min=0, size=SIZE, suspended="ScheduledActions+AZRebalance"),
        SIZE,
        SIZE,
        set(SUSPENDED),
    )
    unpin.fn(find_group(ONE))
    assert hold(find_group(ONE)) == (None, 0, SIZE, {"AlarmNotification"})


def test_a_pin_that_was_killed_after_its_tag_is_finished_the_next_time() -> None:
    pin.fn(find_group(ONE), "two")
    pinned = find_group(ONE)
    autoscaling().resume_processes(AutoScalingGroupName=NAME)  # all of them: only the tag is there
    pin.fn(find_group(ONE), "two")
    assert hold(find_group(ONE)) == hold(pinned)
