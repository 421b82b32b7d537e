"""Groups through the API: created, sized, updated and deleted, on moto's EC2."""

from __future__ import annotations

from collections import Counter

from tests.local.autoscaling.cloud import Cloud, refusal
from tests.waiting import eventually


def states(cloud: Cloud, instances: list[str]) -> set[str]:
    told = cloud.ec2.describe_instances(InstanceIds=instances)["Reservations"]
    return {instance["State"]["Name"] for reservation in told for instance in reservation["Instances"]}


def test_a_group_spreads_its_instances_over_its_subnets(cloud: Cloud, name: str) -> None:
    cloud.create(name, low=5)
    instances = cloud.await_in_service(name, 5)
    described = cloud.ec2.describe_instances(InstanceIds=instances)["Reservations"]
    load = Counter(instance["SubnetId"] for reservation in described for instance in reservation["Instances"])
    assert sorted(load.values()) == [1, 2, 2]


def test_an_instance_is_described_with_its_template_and_zone(cloud: Cloud, name: str) -> None:
    cloud.create(name, low=1)
    (instance_id,) = cloud.await_in_service(name, 1)
    (told,) = cloud.autoscaling.describe_auto_scaling_instances(InstanceIds=[instance_id])["AutoScalingInstances"]
    assert told["AutoScalingGroupName"] == name
    assert (told["LifecycleState"], told["HealthStatus"]) == ("InService", "HEALTHY")
    assert (told["LaunchTemplate"]["LaunchTemplateId"], told["LaunchTemplate"]["Version"]) == (cloud.template, "1")
    assert told["InstanceType"] == "t3.small"
    assert told["AvailabilityZone"] in {"us-east-1a", "us-east-1b", "us-east-1c"}
    assert told["ProtectedFromScaleIn"] is False


def test_propagated_tags_and_the_group_s_name_are_on_its_instances(cloud: Cloud, name: str) -> None:
    tags = [
        {"Key": "tyrell:role", "Value": "router", "PropagateAtLaunch": True},
        {"Key": "group-only", "Value": "x", "PropagateAtLaunch": False},
    ]
    cloud.create(name, low=1, Tags=tags)
    (instance_id,) = cloud.await_in_service(name, 1)
    told = cloud.ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [instance_id]}])["Tags"]
    tags_of_template = {"aws:ec2launchtemplate:id": cloud.template, "aws:ec2launchtemplate:version": "1"}
    assert {tag["Key"]: tag["Value"] for tag in told} == {
        "tyrell:role": "router",
        "aws:autoscaling:groupName": name,
        **tags_of_template,
    }


def test_scaling_in_and_out_says_why_in_the_activities(cloud: Cloud, name: str) -> None:
    cloud.create(name, high=3, DesiredCapacity=1)
    cloud.await_in_service(name, 1)
    for desired in (2, 1):
        cloud.autoscaling.set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=desired)
        cloud.await_in_service(name, desired)
    terminating, launching, _ = cloud.activities(name)
    assert launching["StatusCode"] == terminating["StatusCode"] == "Successful"
    assert "changing the desired capacity from 1 to 2" in launching["Cause"]
    assert "increasing the capacity from 1 to 2" in launching["Cause"]
    assert "shrinking the capacity from 2 to 1" in terminating["Cause"]
    assert "was selected for termination" in terminating["Cause"]
    assert terminating["EndTime"] >= terminating["StartTime"]


def test_an_update_is_in_place_and_leaves_the_instances_alone(cloud: Cloud, name: str) -> None:
    cloud.create(name, low=1)
    before = cloud.await_in_service(name, 1)
    cloud.ec2.create_launch_template_version(
        LaunchTemplateId=cloud.template, LaunchTemplateData={"ImageId": "ami-12c6146b", "InstanceType": "t3.large"}
    )
    cloud.autoscaling.update_auto_scaling_group(
        AutoScalingGroupName=name,
        MinSize=2,
        HealthCheckGracePeriod=33,
        LaunchTemplate={"LaunchTemplateId": cloud.template, "Version": "$Latest"},
    )
    instances = cloud.await_in_service(name, 2)
    assert set(before) < set(instances)
    group = cloud.group(name)
    assert group
    assert (group["MinSize"], group["DesiredCapacity"], group["HealthCheckGracePeriod"]) == (2, 2, 33)
    assert {item["InstanceType"] for item in group["Instances"]} == {"t3.small", "t3.large"}


def test_a_group_with_instances_is_deleted_by_force_only(cloud: Cloud, name: str) -> None:
    cloud.create(name, low=2)
    instances = cloud.await_in_service(name, 2)
    code, message = refusal(cloud.autoscaling.delete_auto_scaling_group, AutoScalingGroupName=name)
    assert code == "ResourceInUse"
    assert message.startswith("You cannot delete an AutoScalingGroup while there are instances")
    cloud.autoscaling.delete_auto_scaling_group(AutoScalingGroupName=name, ForceDelete=True)
    eventually("the group is gone", lambda: cloud.group(name) is None)
    assert states(cloud, instances) == {"terminated"}


def test_a_group_that_is_being_deleted_says_so_and_cannot_be_changed(cloud: Cloud, name: str) -> None:
    cloud.create(name, low=1)
    cloud.await_in_service(name, 1)
    cloud.engine.stop()
    try:
        cloud.autoscaling.delete_auto_scaling_group(AutoScalingGroupName=name, ForceDelete=True)
        told = refusal(cloud.autoscaling.update_auto_scaling_group, AutoScalingGroupName=name, MinSize=1)
        group = cloud.group(name)
    finally:
        cloud.engine.start()
    assert told == ("ValidationError", "The AutoScaling group may not be modified while it is pending delete")
    assert group is not None
    assert group["Status"] == "Delete in progress"


def test_groups_are_found_by_tag_and_come_in_pages(cloud: Cloud, name: str) -> None:
    other = f"{name}-b"
    for each in (name, other):
        cloud.create(each, Tags=[{"Key": "stack", "Value": name}, {"Key": "self", "Value": each}])
    by_stack = [{"Name": "tag:stack", "Values": [name]}]
    pages = cloud.autoscaling.get_paginator("describe_auto_scaling_groups").paginate(
        Filters=by_stack, PaginationConfig={"PageSize": 1}
    )
    assert [[group["AutoScalingGroupName"] for group in page["AutoScalingGroups"]] for page in pages] == [
        [name],
        [other],
    ]
    by_both = [*by_stack, {"Name": "tag:self", "Values": [other]}]
    found = cloud.autoscaling.describe_auto_scaling_groups(Filters=by_both)["AutoScalingGroups"]
    assert [group["AutoScalingGroupName"] for group in found] == [other]
    cloud.autoscaling.delete_auto_scaling_group(AutoScalingGroupName=other)


def test_tags_of_a_living_group_can_be_changed(cloud: Cloud, name: str) -> None:
    cloud.create(name)
    tag = {"ResourceId": name, "ResourceType": "auto-scaling-group", "Key": "color"}
    filters = [{"Name": "auto-scaling-group", "Values": [name]}]
    cloud.autoscaling.create_or_update_tags(Tags=[{**tag, "Value": "blue", "PropagateAtLaunch": True}])
    (told,) = cloud.autoscaling.describe_tags(Filters=filters)["Tags"]
    assert told == {**tag, "Value": "blue", "PropagateAtLaunch": True}
    cloud.autoscaling.delete_tags(Tags=[tag])
    assert cloud.autoscaling.describe_tags(Filters=filters)["Tags"] == []


def test_metrics_collection_is_kept(cloud: Cloud, name: str) -> None:
    cloud.create(name)
    cloud.autoscaling.enable_metrics_collection(
        AutoScalingGroupName=name, Granularity="1Minute", Metrics=["GroupMinSize", "GroupMaxSize"]
    )
    cloud.autoscaling.disable_metrics_collection(AutoScalingGroupName=name, Metrics=["GroupMaxSize"])
    group = cloud.group(name)
    assert group
    assert group["EnabledMetrics"] == [{"Metric": "GroupMinSize", "Granularity": "1Minute"}]
