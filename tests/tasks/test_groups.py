"""Groups of machines, as AWS describes them."""

from __future__ import annotations

from typing import Any

from tasks import clients
from tasks.groups import MOST_VALUES, find_groups
from tasks.model import Version
from tests.tasks.own_aws import own_aws

VERSIONS, MACHINES = 4, 60


def test_the_addresses_of_many_machines_are_asked_for_in_as_few_calls_as_ec2_takes() -> None:
    asked: list[int] = []

    def note(params: dict[str, Any], **_: object) -> None:
        asked.append(len(params["Filters"][0]["Values"]))

    with own_aws():
        zone = clients.ec2().describe_availability_zones()["AvailabilityZones"][0]["ZoneName"]
        template: Any = {"ImageId": "ami-12c6146b", "InstanceType": "t3.small"}
        clients.ec2().create_launch_template(LaunchTemplateName="machine", LaunchTemplateData=template)
        for number in range(VERSIONS):
            version = Version(stack="demo", role="router", id=f"v{number}")
            clients.autoscaling().create_auto_scaling_group(
                AutoScalingGroupName=version.stack_name,
                MinSize=MACHINES,
                MaxSize=MACHINES,
                AvailabilityZones=[zone],
                LaunchTemplate={"LaunchTemplateName": "machine", "Version": "$Latest"},
                Tags=[{"Key": key, "Value": value, "PropagateAtLaunch": True} for key, value in version.tags.items()],
            )
        clients.ec2().meta.events.register("provide-client-params.ec2.DescribeInstances", note)
        groups = find_groups("demo")

    assert asked == [MOST_VALUES, VERSIONS * MACHINES - MOST_VALUES]
    assert all(machine.address for group in groups for machine in group.machines)
