"""A machine that works once: it empties its queue as `link.data_worker` does, then leaves its group and is no more.

Settings: those of `link.data_worker`, and COREOS_PRIVATE_IPV4, INSTANCE_ID, AWS_REGION (us-east-1).
"""

import logging
import os

import boto3

from link import data_worker
from link.cluster.machines import PATIENCE, find_own
from link.shared.environment import Environment

IN_SERVICE = "InService"

logger = logging.getLogger(__name__)


def leave_group(address: str, instance_id: str | None, region: str) -> bool:
    """Have the machine terminated and not replaced; False when it is in no group, or on its way out already.

    The group wants one machine less from then on. A machine that was told to go must not take another one with it.
    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_TerminateInstanceInAutoScalingGroup.html
    """
    own = find_own(address, instance_id, region)
    autoscaling = boto3.client("autoscaling", region_name=region, config=PATIENCE)
    members = autoscaling.describe_auto_scaling_instances(InstanceIds=[own.id])["AutoScalingInstances"]
    if [member["LifecycleState"] for member in members] != [IN_SERVICE]:
        return False
    autoscaling.terminate_instance_in_auto_scaling_group(InstanceId=own.id, ShouldDecrementDesiredCapacity=True)
    return True


def main() -> None:
    """Work, then leave. When the work fails so does this, and the group replaces the machine."""
    data_worker.main()
    environment = Environment(os.environ)
    region = environment.text("AWS_REGION", "us-east-1")
    left = leave_group(environment.address(), os.environ.get("INSTANCE_ID"), region)
    logger.info("done", extra={"fields": {"leaves": left}})


if __name__ == "__main__":
    main()
