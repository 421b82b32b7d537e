"""Lifecycle hooks through the API."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.autoscaling.cloud import Cloud
from tests.waiting import eventually

LAUNCH = {"LifecycleHookName": "warm-up", "LifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING"}
LEAVE = {"LifecycleHookName": "goodbye", "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING"}


def held(cloud: Cloud, name: str, state: str) -> str:
    """Id of the one instance that is held in that state."""
    (instance_id,) = eventually(f"one in {state}", lambda: cloud.instances(name, state))
    return str(instance_id)


def complete(cloud: Cloud, name: str, hook: dict[str, str], instance_id: str, result: str) -> None:
    cloud.autoscaling.complete_lifecycle_action(
        AutoScalingGroupName=name,
        LifecycleHookName=hook["LifecycleHookName"],
        InstanceId=instance_id,
        LifecycleActionResult=result,
    )


def test_a_launching_instance_waits_until_its_hook_says_continue(cloud: Cloud, name: str) -> None:
    cloud.create(name, low=1, LifecycleHookSpecificationList=[LAUNCH])
    instance_id = held(cloud, name, "Pending:Wait")
    assert cloud.activities(name)[0]["StatusCode"] == "MidLifecycleAction"
    complete(cloud, name, LAUNCH, instance_id, "CONTINUE")
    assert cloud.await_in_service(name, 1) == [instance_id]


def test_an_abandoned_launch_is_cancelled_and_replaced(cloud: Cloud, name: str) -> None:
    cloud.create(name, low=1, LifecycleHookSpecificationList=[LAUNCH])
    instance_id = held(cloud, name, "Pending:Wait")
    complete(cloud, name, LAUNCH, instance_id, "ABANDON")
    eventually("it is gone", lambda: not any(instance_id in i.values() for i in (cloud.group(name) or {})["Instances"]))
    cancelled = next(a for a in cloud.activities(name) if a["StatusCode"] == "Cancelled")
    assert cancelled["StatusMessage"].endswith("Lifecycle Action Completed with ABANDON Result")
    cloud.forward(seconds=2)
    assert held(cloud, name, "Pending:Wait") != instance_id


def test_a_leaving_instance_waits_for_its_hook_and_heartbeats_prolong_it(cloud: Cloud, name: str) -> None:
    hook = {**LEAVE, "HeartbeatTimeout": 600, "DefaultResult": "CONTINUE"}
    cloud.create(name, DesiredCapacity=1, LifecycleHookSpecificationList=[hook])
    cloud.await_in_service(name, 1)
    cloud.autoscaling.set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=0)
    instance_id = held(cloud, name, "Terminating:Wait")
    cloud.forward(seconds=500)
    cloud.autoscaling.record_lifecycle_action_heartbeat(
        AutoScalingGroupName=name, LifecycleHookName="goodbye", InstanceId=instance_id
    )
    cloud.forward(seconds=500)
    assert cloud.instances(name, "Terminating:Wait") == [instance_id]
    cloud.forward(seconds=100)
    eventually("it is gone", lambda: not (cloud.group(name) or {})["Instances"])


def test_hooks_are_put_described_and_deleted(cloud: Cloud, name: str) -> None:
    cloud.create(name)
    cloud.autoscaling.put_lifecycle_hook(AutoScalingGroupName=name, **LAUNCH, HeartbeatTimeout=120)
    cloud.autoscaling.put_lifecycle_hook(
        AutoScalingGroupName=name, LifecycleHookName="warm-up", DefaultResult="CONTINUE"
    )
    (told,) = cloud.autoscaling.describe_lifecycle_hooks(AutoScalingGroupName=name)["LifecycleHooks"]
    assert (told["HeartbeatTimeout"], told["DefaultResult"], told["GlobalTimeout"]) == (120, "CONTINUE", 12_000)
    cloud.autoscaling.delete_lifecycle_hook(AutoScalingGroupName=name, LifecycleHookName="warm-up")
    assert cloud.autoscaling.describe_lifecycle_hooks(AutoScalingGroupName=name)["LifecycleHooks"] == []


def test_deleting_a_hook_continues_the_terminations_it_holds(cloud: Cloud, name: str) -> None:
    cloud.create(name, DesiredCapacity=1, LifecycleHookSpecificationList=[LEAVE])
    cloud.await_in_service(name, 1)
    cloud.autoscaling.set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=0)
    held(cloud, name, "Terminating:Wait")
    cloud.autoscaling.delete_lifecycle_hook(AutoScalingGroupName=name, LifecycleHookName="goodbye")
    cloud.await_in_service(name, 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"LifecycleTransition": "sometimes"}, "transition must be"),
        ({"HeartbeatTimeout": 29}, "Heartbeat timeout must be between 30 and 7200"),
        ({"DefaultResult": "MAYBE"}, "Default result must be"),
    ],
)
def test_a_bad_hook_is_refused(cloud: Cloud, name: str, change: dict[str, Any], message: str) -> None:
    cloud.create(name)
    with pytest.raises(ClientError, match=message):
        cloud.autoscaling.put_lifecycle_hook(AutoScalingGroupName=name, **{**LAUNCH, **change})
