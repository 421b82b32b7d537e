"""Single instances through the API: they fail, are replaced, protected, terminated and put on standby."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import pytest
from botocore.exceptions import ClientError

from tests.local.autoscaling.cloud import Cloud
from tests.waiting import eventually

pytestmark = pytest.mark.cloud


def test_an_instance_that_fails_is_replaced(cloud: Cloud, name: str) -> None:
    cloud.create(name, low=2)
    lost, kept = cloud.await_in_service(name, 2)
    cloud.ec2.stop_instances(InstanceIds=[lost])
    eventually("the lost instance is out", lambda: lost not in cloud.instances(name))
    instances = cloud.await_in_service(name, 2)
    assert kept in instances
    launching, terminating = cloud.activities(name)[:2]
    assert terminating["Description"] == f"Terminating EC2 instance: {lost}"
    assert terminating["Cause"].endswith(
        "taken out of service in response to an EC2 health check indicating it has been terminated or stopped."
    )
    assert launching["Cause"].endswith("in response to an unhealthy instance needing to be replaced.")


def test_an_instance_that_is_declared_unhealthy_is_replaced(cloud: Cloud, name: str) -> None:
    cloud.create(name, low=1, HealthCheckGracePeriod=600)
    (sick,) = cloud.await_in_service(name, 1)
    cloud.autoscaling.set_instance_health(InstanceId=sick, HealthStatus="Unhealthy")
    told = cloud.autoscaling.describe_auto_scaling_instances(InstanceIds=[sick])["AutoScalingInstances"]
    assert told[0]["HealthStatus"] == "HEALTHY", "the grace period is to be respected"
    cloud.autoscaling.set_instance_health(InstanceId=sick, HealthStatus="Unhealthy", ShouldRespectGracePeriod=False)
    eventually("it is out", lambda: sick not in cloud.instances(name))
    assert cloud.await_in_service(name, 1) != [sick]


def test_a_suspended_replacement_is_made_when_it_is_resumed(cloud: Cloud, name: str) -> None:
    cloud.create(name, low=1)
    (sick,) = cloud.await_in_service(name, 1)
    cloud.autoscaling.suspend_processes(AutoScalingGroupName=name, ScalingProcesses=["ReplaceUnhealthy"])
    cloud.autoscaling.set_instance_health(InstanceId=sick, HealthStatus="Unhealthy")
    group = cloud.group(name)
    assert group
    assert [item["ProcessName"] for item in group["SuspendedProcesses"]] == ["ReplaceUnhealthy"]
    assert [item["HealthStatus"] for item in group["Instances"]] == ["Unhealthy"]
    cloud.autoscaling.resume_processes(AutoScalingGroupName=name)
    eventually("it is out", lambda: sick not in cloud.instances(name))


def test_a_terminated_instance_is_replaced_or_the_group_becomes_smaller(cloud: Cloud, name: str) -> None:
    cloud.create(name, low=1, DesiredCapacity=2)
    first, second = cloud.await_in_service(name, 2)
    terminate = cloud.autoscaling.terminate_instance_in_auto_scaling_group
    activity = terminate(InstanceId=first, ShouldDecrementDesiredCapacity=True)["Activity"]
    assert activity["Cause"].endswith("in response to a user request, shrinking the capacity from 2 to 1.")
    assert cloud.await_in_service(name, 1) == [second]
    with pytest.raises(ClientError, match="violate group's min size constraint"):
        terminate(InstanceId=second, ShouldDecrementDesiredCapacity=True)
    terminate(InstanceId=second, ShouldDecrementDesiredCapacity=False)
    eventually("it is replaced", lambda: cloud.await_in_service(name, 1) != [second])


def test_a_protected_instance_survives_scale_in(cloud: Cloud, name: str) -> None:
    cloud.create(name, DesiredCapacity=2, TerminationPolicies=["OldestInstance"])
    instances = cloud.await_in_service(name, 2)
    cloud.autoscaling.set_instance_protection(
        AutoScalingGroupName=name, InstanceIds=instances[:1], ProtectedFromScaleIn=True
    )
    cloud.autoscaling.set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=0)
    assert cloud.await_in_service(name, 1) == instances[:1]


def test_an_instance_on_standby_is_out_and_comes_back(cloud: Cloud, name: str) -> None:
    arn = cloud.target_group()
    cloud.create(name, DesiredCapacity=1, TargetGroupARNs=[arn])
    (instance_id,) = cloud.await_in_service(name, 1)
    eventually("it is registered", lambda: cloud.registered(arn) == {instance_id})
    request = {"AutoScalingGroupName": name, "InstanceIds": [instance_id]}
    cloud.autoscaling.enter_standby(**request, ShouldDecrementDesiredCapacity=True)
    eventually("it stands by", lambda: cloud.instances(name, "Standby") == [instance_id])
    assert cloud.registered(arn) == set()
    cloud.autoscaling.exit_standby(**request)
    assert cloud.await_in_service(name, 1) == [instance_id]
    eventually("it is registered again", lambda: cloud.registered(arn) == {instance_id})


def test_a_launch_that_is_refused_is_a_failed_activity_and_is_tried_again(cloud: Cloud, name: str) -> None:
    made = cloud.ec2.create_launch_template(
        LaunchTemplateName=name,
        LaunchTemplateData={"ImageId": "ami-12c6146b", "SecurityGroupIds": ["sg-00000000"]},
    )["LaunchTemplate"]
    cloud.create(name, low=1, LaunchTemplate={"LaunchTemplateName": name})
    activity = eventually("an activity", lambda: cloud.activities(name))[-1]
    assert (activity["StatusCode"], activity["Progress"]) == ("Failed", 100)
    assert activity["StatusMessage"] == (
        "The security group 'sg-00000000' does not exist Launching EC2 instance failed."
    )
    assert activity["Description"].startswith("Launching a new EC2 instance.  Status Reason: The security group")
    cloud.ec2.create_launch_template_version(
        LaunchTemplateId=made["LaunchTemplateId"], LaunchTemplateData={"ImageId": "ami-12c6146b"}
    )
    cloud.ec2.modify_launch_template(LaunchTemplateId=made["LaunchTemplateId"], DefaultVersion="2")
    cloud.forward(minutes=1)
    cloud.await_in_service(name, 1)


def test_a_failed_launch_is_put_off_longer_each_time(cloud: Cloud, name: str) -> None:
    cloud.ec2.create_launch_template(
        LaunchTemplateName=name,
        LaunchTemplateData={"ImageId": "ami-12c6146b", "SecurityGroupIds": ["sg-00000000"]},
    )
    cloud.create(name, low=1, LaunchTemplate={"LaunchTemplateName": name})

    def attempted(times: int) -> bool:
        return len(cloud.activities(name)) >= times

    for attempt, delay in enumerate((1, 2, 4), start=1):
        eventually(f"attempt {attempt}", partial(attempted, attempt))
        cloud.forward(seconds=delay)
    eventually("attempt 4", partial(attempted, 4))
    times = [activity["StartTime"] for activity in reversed(cloud.activities(name))][:4]
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(times)]
    assert all(gap >= delay for gap, delay in zip(gaps, (1, 2, 4), strict=True))
