"""A group and its load balancer target groups."""

from __future__ import annotations

from typing import Any, ClassVar

import moto.elb.urls
import pytest
from botocore.exceptions import ClientError
from moto.core.responses import ActionResult
from moto.elbv2.responses import ELBV2Response

from tests.local.autoscaling.cloud import Cloud
from tests.waiting import eventually


class Checks(ELBV2Response):
    """moto's load balancing, which calls every target healthy, except for those that a test declares sick."""

    sick: ClassVar[set[str]] = set()

    def describe_target_health(self) -> ActionResult:
        answer = super().describe_target_health()
        result: Any = answer.result
        for told in result["TargetHealthDescriptions"]:
            if told.instance_id in self.sick:
                told.status, told.description = "unhealthy", "Health checks failed with these codes: [500]"
        return answer


def test_instances_come_and_go_in_the_target_group(cloud: Cloud, name: str) -> None:
    arn = cloud.target_group()
    cloud.create(name, DesiredCapacity=2, TargetGroupARNs=[arn])
    instances = cloud.await_in_service(name, 2)
    eventually("both are registered", lambda: cloud.registered(arn) == set(instances))
    told = cloud.autoscaling.describe_load_balancer_target_groups(AutoScalingGroupName=name)
    assert told["LoadBalancerTargetGroups"] == [{"LoadBalancerTargetGroupARN": arn, "State": "Added"}]
    cloud.autoscaling.set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=1)
    left = cloud.await_in_service(name, 1)
    assert cloud.registered(arn) == set(left)


def test_target_groups_are_attached_to_and_detached_from_a_living_group(cloud: Cloud, name: str) -> None:
    arn = cloud.target_group()
    cloud.create(name, low=1)
    instances = cloud.await_in_service(name, 1)
    cloud.autoscaling.attach_load_balancer_target_groups(AutoScalingGroupName=name, TargetGroupARNs=[arn])
    eventually("it is registered", lambda: cloud.registered(arn) == set(instances))
    cloud.autoscaling.detach_load_balancer_target_groups(AutoScalingGroupName=name, TargetGroupARNs=[arn])
    eventually("it is deregistered", lambda: cloud.registered(arn) == set())
    assert cloud.await_in_service(name, 1) == instances
    with pytest.raises(ClientError, match="are not attached"):
        cloud.autoscaling.detach_load_balancer_target_groups(AutoScalingGroupName=name, TargetGroupARNs=[arn])


def test_nothing_is_registered_while_adding_is_suspended_nor_when_it_is_resumed(cloud: Cloud, name: str) -> None:
    arn = cloud.target_group()
    cloud.create(name, TargetGroupARNs=[arn])
    cloud.autoscaling.suspend_processes(AutoScalingGroupName=name, ScalingProcesses=["AddToLoadBalancer"])
    cloud.autoscaling.set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=1)
    cloud.await_in_service(name, 1)
    cloud.autoscaling.resume_processes(AutoScalingGroupName=name)
    cloud.autoscaling.set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=2)
    _, second = cloud.await_in_service(name, 2)
    eventually("the second one is registered", lambda: cloud.registered(arn) == {second})


def test_a_target_group_that_is_deleted_does_not_stop_its_group(cloud: Cloud, name: str) -> None:
    arn = cloud.target_group()
    cloud.create(name, DesiredCapacity=1, TargetGroupARNs=[arn], HealthCheckType="ELB")
    instances = cloud.await_in_service(name, 1)
    eventually("it is registered", lambda: cloud.registered(arn) == set(instances))
    cloud.elbv2.delete_target_group(TargetGroupArn=arn)
    cloud.autoscaling.set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=0)
    cloud.await_in_service(name, 0)


def test_a_target_that_the_load_balancer_calls_unhealthy_is_replaced(
    cloud: Cloud, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moto.elb.urls, "ELBV2Response", Checks)
    arn = cloud.target_group()
    cloud.create(name, low=1, TargetGroupARNs=[arn], HealthCheckType="ELB", HealthCheckGracePeriod=60)
    (sick,) = cloud.await_in_service(name, 1)
    Checks.sick.add(sick)
    eventually("it is registered", lambda: cloud.registered(arn) == {sick})
    cloud.forward(seconds=60)
    eventually("it is out", lambda: sick not in cloud.instances(name))
    (fresh,) = cloud.await_in_service(name, 1)
    eventually("its successor is registered", lambda: cloud.registered(arn) == {fresh})
    terminating = next(a for a in cloud.activities(name) if a["Description"].startswith("Terminating"))
    assert terminating["Cause"].endswith(
        "an ELB system health check failure (Health checks failed with these codes: [500])."
    )
