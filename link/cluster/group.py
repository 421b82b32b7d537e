"""The machines of an etcd member's own Auto Scaling group, as AWS tells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import FilterTypeDef, InstanceTypeDef

GONE = ("Terminating", "Terminated", "Detach")
RUNNING = {"instance-state-name": ["running", "pending"]}


class NoInstance(Exception):
    """AWS does not (yet) know a running instance with our address, or its group."""


@dataclass(frozen=True)
class Group:
    """An Auto Scaling group: how many instances it wants, and the private addresses of those it has."""

    name: str
    desired: int
    addresses: list[str]

    @property
    def complete(self) -> bool:
        """Whether every instance it wants is there and has an address."""
        return len(self.addresses) >= self.desired > 0


def find_group_name(address: str, instance_id: str | None, region: str) -> str:
    """Return the group of the running instance with this id, else with this private address.

    The tag is put on by Auto Scaling. https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-tagging.html
    """
    identity = {"instance-id": [instance_id]} if instance_id else {"private-ip-address": [address]}
    for instance in find_instances(RUNNING | identity, region):
        for tag in instance.get("Tags", []):
            if tag["Key"] == "aws:autoscaling:groupName":
                return str(tag["Value"])
    raise NoInstance(f"no running instance {instance_id or address} with the tag aws:autoscaling:groupName")


def find_group(name: str, region: str) -> Group:
    """Look at the group and at its instances that run or will."""
    client = boto3.client("autoscaling", region_name=region)
    groups = client.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
    if not groups:
        raise NoInstance(f"no Auto Scaling group {name}")
    ids = [one["InstanceId"] for one in groups[0]["Instances"] if not one["LifecycleState"].startswith(GONE)]
    instances = find_instances(RUNNING | {"instance-id": ids}, region) if ids else []
    addresses = [instance["PrivateIpAddress"] for instance in instances if instance.get("PrivateIpAddress")]
    return Group(name, groups[0]["DesiredCapacity"], sorted(addresses))


def find_instances(wanted: Mapping[str, Sequence[str]], region: str) -> list["InstanceTypeDef"]:
    """Return the instances that match every filter: its name and the values it may have.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html
    """
    filters: list[FilterTypeDef] = [{"Name": name, "Values": values} for name, values in wanted.items()]
    pages = boto3.client("ec2", region_name=region).get_paginator("describe_instances").paginate(Filters=filters)
    return [instance for page in pages for reservation in page["Reservations"] for instance in reservation["Instances"]]
