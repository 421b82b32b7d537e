"""What is refused, with AWS's codes and texts, and changes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.local.autoscaling.cloud import Cloud, refusal


@pytest.mark.parametrize(("desired", "which"), [(4, "above max value 3"), (0, "below min value 1")])
def test_a_desired_capacity_outside_the_bounds_is_refused(cloud: Cloud, name: str, desired: int, which: str) -> None:
    cloud.create(name, low=1, high=3)
    told = refusal(cloud.autoscaling.set_desired_capacity, AutoScalingGroupName=name, DesiredCapacity=desired)
    assert told == ("ValidationError", f"New SetDesiredCapacity value {desired} is {which} for the AutoScalingGroup.")


def test_a_name_is_given_once(cloud: Cloud, name: str) -> None:
    cloud.create(name)
    code, message = refusal(cloud.create, name=name)
    assert code == "AlreadyExists"
    assert message == f"AutoScalingGroup by this name already exists - A group with the name {name} already exists"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"VPCZoneIdentifier": "subnet-0000"}, "subnet-0000"),
        ({"VPCZoneIdentifier": " "}, "At least one VPC Subnet is required"),
        ({"LaunchTemplate": {"LaunchTemplateId": "lt-0000"}}, "You must use a valid fully-formed launch template."),
        ({"LaunchTemplate": {"LaunchTemplateName": "nobody"}}, "You must use a valid fully-formed launch template."),
        ({"TargetGroupARNs": ["arn:aws:nothing"]}, "Provided Target Groups may not be valid."),
        ({"DesiredCapacity": 9}, "Desired capacity:9 must be between the specified min size:0 and max size:5"),
        ({"HealthCheckType": "EBS"}, "Invalid HealthCheckType: EBS"),
        ({"TerminationPolicies": ["Lambda"]}, "Termination policies not supported: Lambda"),
        ({"LoadBalancerNames": ["classic"]}, "does not support LoadBalancerNames"),
    ],
)
def test_a_group_that_cannot_work_is_refused(cloud: Cloud, name: str, change: dict[str, Any], message: str) -> None:
    code, told = refusal(cloud.create, name=name, **change)
    assert code == "ValidationError"
    assert message in told
    assert cloud.group(name) is None


def test_a_version_that_does_not_exist_is_refused(cloud: Cloud, name: str) -> None:
    template = {"LaunchTemplateId": cloud.template, "Version": "999"}
    code, told = refusal(cloud.create, name=name, LaunchTemplate=template)
    assert code == "ValidationError"
    assert "999" in told


def test_what_is_not_there_is_a_clear_error(cloud: Cloud) -> None:
    code, message = refusal(cloud.autoscaling.set_desired_capacity, AutoScalingGroupName="nobody", DesiredCapacity=1)
    assert (code, message) == (
        "ValidationError",
        "AutoScalingGroup name not found - AutoScalingGroup 'nobody' not found",
    )
    code, message = refusal(cloud.autoscaling.describe_account_limits)
    assert code == "UnknownOperation"
    assert "DescribeAccountLimits" in message
