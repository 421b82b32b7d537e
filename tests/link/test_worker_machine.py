"""A machine that has done its work leaves its group and is not replaced; one that was told to go takes no other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from link.cluster.machines import NoInstance
from link.worker_machine import leave_group
from tests.link.aws_server import REGION, Aws, MachineGroup, aws_server

pytestmark = pytest.mark.cloud

NETWORK = "127.48.0.0/16"
FIRST, SECOND = "127.48.1.4", "127.48.1.5"


@pytest.fixture
def aws() -> Iterator[Aws]:
    with aws_server() as server, pytest.MonkeyPatch.context() as patched:
        for name, value in server.variables.items():
            patched.setenv(name, value)
        yield server


@pytest.fixture
def group(aws: Aws) -> MachineGroup:
    """With two machines."""
    made = MachineGroup(aws, "workers", NETWORK, {})
    made.add(FIRST)
    made.add(SECOND)
    return made


def wanted(aws: Aws) -> int:
    """How many machines the group wants."""
    described = aws.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=["workers"])
    return int(described["AutoScalingGroups"][0]["DesiredCapacity"])


def test_a_machine_that_leaves_is_not_replaced(aws: Aws, group: MachineGroup) -> None:
    assert leave_group(FIRST, None, REGION)
    assert wanted(aws) == 1
    with pytest.raises(NoInstance):
        leave_group(FIRST, None, REGION)
    assert wanted(aws) == 1


def test_a_machine_that_is_on_its_way_out_takes_no_other_with_it(aws: Aws, group: MachineGroup) -> None:
    groups = aws.client("autoscaling")
    (first, _) = groups.describe_auto_scaling_instances()["AutoScalingInstances"]
    groups.enter_standby(
        InstanceIds=[first["InstanceId"]], AutoScalingGroupName="workers", ShouldDecrementDesiredCapacity=False
    )
    before = wanted(aws)
    assert not leave_group("", first["InstanceId"], REGION)
    assert wanted(aws) == before
