"""Auto Scaling's lifecycle hooks, from the machine's side: it is to go, holds on while it has work, and lets go.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks.html
"""

from __future__ import annotations

from botocore.exceptions import ClientError

from tasks.clients import autoscaling

WAITING = "Terminating:Wait"


def find_left_group(instance: str) -> str:
    """The group that the instance is on its way out of, held by a hook; empty when it is not."""
    members = autoscaling().describe_auto_scaling_instances(InstanceIds=[instance])["AutoScalingInstances"]
    return next((each["AutoScalingGroupName"] for each in members if each["LifecycleState"] == WAITING), "")


def hold_on(group: str, hook: str, instance: str) -> None:
    """Have the hook wait its time-out once more from now."""
    names = {"AutoScalingGroupName": group, "LifecycleHookName": hook}
    autoscaling().record_lifecycle_action_heartbeat(**names, InstanceId=instance)


def let_go(group: str, hook: str, instance: str) -> None:
    """Have the instance terminated; that it is being terminated already is fine."""
    names = {"AutoScalingGroupName": group, "LifecycleHookName": hook, "LifecycleActionResult": "CONTINUE"}
    try:
        autoscaling().complete_lifecycle_action(**names, InstanceId=instance)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
