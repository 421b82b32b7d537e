"""The machines of core-services, in every Auto Scaling group that one of its versions has, as AWS tells."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import FilterTypeDef

# https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-tagging.html
GROUP_TAG = "aws:autoscaling:groupName"
ROLE_TAGS = ("tyrell:stack", "tyrell:role")
GONE = ("Terminating", "Terminated", "Detach")
UP = ("running", "pending")
PATIENCE = Config(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 2})


class NoInstance(Exception):
    """AWS does not (yet) know a running instance with our address, or its group."""


@dataclass(frozen=True)
class Machine:
    """An EC2 instance. One that is gone has no address any more."""

    id: str
    address: str
    state: str
    launched: datetime
    zone: str
    tags: Mapping[str, str]

    @property
    def is_up(self) -> bool:
        """Whether it runs or will."""
        return self.state in UP and bool(self.address)

    @property
    def is_being_terminated(self) -> bool:
        """Whether it will never run again. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceState.html"""
        return self.state in ("shutting-down", "terminated")

    @property
    def group(self) -> str:
        """The name of its Auto Scaling group; raises `NoInstance` when it is in none."""
        if GROUP_TAG not in self.tags:
            raise NoInstance(f"{self.id} at {self.address} has no tag {GROUP_TAG}")
        return self.tags[GROUP_TAG]


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


def find_own(address: str, instance_id: str | None, region: str) -> Machine:
    """Return the machine with this id, else the one that is up with this private address; raises `NoInstance`."""
    identity = {"instance-id": [instance_id]} if instance_id else {"private-ip-address": [address]}
    for machine in find_machines(identity, region):
        if machine.is_up:
            return machine
    raise NoInstance(f"no running instance {instance_id or address}")


def find_role(machine: Machine, region: str) -> list[Machine]:
    """Return all machines of the same stack and role, whatever their version, group and state.

    Without these tags, the machines of the same group.
    """
    if any(name not in machine.tags for name in ROLE_TAGS):
        return find_machines({f"tag:{GROUP_TAG}": [machine.group]}, region)
    return find_machines({f"tag:{name}": [machine.tags[name]] for name in ROLE_TAGS}, region)


def find_hosts(stack: str, port: int, region: str) -> list[str]:
    """Return host:port of every core-services machine of the stack that runs."""
    wanted = {"tag:tyrell:stack": [stack], "tag:tyrell:role": ["core-services"], "instance-state-name": ["running"]}
    return sorted(f"{machine.address}:{port}" for machine in find_machines(wanted, region))


def find_group(name: str, machines: Iterable[Machine], region: str) -> Group:
    """Look at the group, whose instances are among these machines."""
    client = boto3.client("autoscaling", region_name=region, config=PATIENCE)
    groups = client.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
    if not groups:
        raise NoInstance(f"no Auto Scaling group {name}")
    ids = {one["InstanceId"] for one in groups[0]["Instances"] if not one["LifecycleState"].startswith(GONE)}
    addresses = [machine.address for machine in machines if machine.id in ids and machine.is_up]
    return Group(name, groups[0]["DesiredCapacity"], sorted(addresses))


def find_machines(wanted: Mapping[str, Sequence[str]], region: str) -> list[Machine]:
    """Return the instances that match every filter: its name and the values it may have.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html
    """
    filters: list[FilterTypeDef] = [{"Name": name, "Values": values} for name, values in wanted.items()]
    client = boto3.client("ec2", region_name=region, config=PATIENCE)
    pages = client.get_paginator("describe_instances").paginate(Filters=filters)
    return [
        Machine(
            id=instance["InstanceId"],
            address=instance.get("PrivateIpAddress", ""),
            state=instance["State"]["Name"],
            launched=instance["LaunchTime"],
            zone=instance["Placement"]["AvailabilityZone"],
            tags={tag["Key"]: tag["Value"] for tag in instance.get("Tags", [])},
        )
        for page in pages
        for reservation in page["Reservations"]
        for instance in reservation["Instances"]
    ]
