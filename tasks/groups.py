"""Auto Scaling: a version's group, its machines and its size."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from tasks.clients import autoscaling, ec2, on_forget
from tasks.crowd import shared
from tasks.errors import NotFound
from tasks.events import Event, tell_event
from tasks.model import Changes, Group, Machine, Patience, Version
from tasks.steps import step
from tasks.waits import NotYet, is_one_of_many, wait_until

if TYPE_CHECKING:
    from types_boto3_autoscaling.type_defs import AutoScalingGroupTypeDef, FilterTypeDef
    from types_boto3_ec2.type_defs import FilterTypeDef as EC2FilterTypeDef

logger = logging.getLogger(__name__)

MOST_GROUPS = 100
"""In a page. https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DescribeAutoScalingGroups.html"""


def find_groups(stack: str, role: str = "") -> tuple[Group, ...]:
    """The groups of every version in the stack, or of one role's versions, found by their tags."""
    return _all_of(stack, role) if is_one_of_many() else add_addresses(find_bare_groups(stack, role))


def _all_of(stack: str, role: str) -> tuple[Group, ...]:
    return tuple(each for each in _all_groups() if each.version.stack == stack and role in {"", each.version.role})


def find_bare_groups(stack: str, role: str = "") -> tuple[Group, ...]:
    """The same without the addresses of the machines, which EC2 need not be asked for then."""
    filters: list[FilterTypeDef] = [{"Name": "tag:tyrell:stack", "Values": [stack]}]
    if role:
        filters.append({"Name": "tag:tyrell:role", "Values": [role]})
    return _described(filters)


@shared
def _all_groups() -> tuple[Group, ...]:
    """Those of all stacks: one question for all waits."""
    return add_addresses(_described([{"Name": "tag-key", "Values": ["tyrell:version"]}]))


def _described(filters: list[FilterTypeDef]) -> tuple[Group, ...]:
    paginator = autoscaling().get_paginator("describe_auto_scaling_groups")
    pages = paginator.paginate(Filters=filters, PaginationConfig={"PageSize": MOST_GROUPS})
    described = [_group(group) for page in pages for group in page["AutoScalingGroups"]]
    return tuple(sorted(described, key=lambda group: group.name))


def add_addresses(groups: Iterable[Group]) -> tuple[Group, ...]:
    """The groups with the private addresses of their machines, as far as EC2 knows them."""
    groups = tuple(groups)
    addresses = _addresses_of([machine.id for group in groups for machine in group.machines])
    return tuple(group.model_copy(update={"machines": _addressed(group, addresses)}) for group in groups)


def _addressed(group: Group, addresses: Mapping[str, str]) -> tuple[Machine, ...]:
    return tuple(machine.model_copy(update={"address": addresses[machine.id]}) for machine in group.machines)


MOST_VALUES = 200
"""Of a filter. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Filter.html"""

_known_addresses: dict[str, str] = {}
"""Private addresses by instance id: one never changes while its instance lives, and no id is used twice.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-instance-addressing.html#concepts-private-addresses
"""
on_forget(_known_addresses.clear)


def _addresses_of(ids: list[str]) -> dict[str, str]:
    unknown = [each for each in ids if each not in _known_addresses]
    for first in range(0, len(unknown), MOST_VALUES):
        # By filter, not by id: an instance that vanished meanwhile is left out instead of failing the whole call.
        found = find_addresses({"instance-id": unknown[first : first + MOST_VALUES]})
        _known_addresses.update({name: address for name, address in found.items() if address})
    return {each: _known_addresses.get(each, "") for each in ids}


def find_addresses(filters: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Private addresses by instance id, of the instances that pass EC2's `filters` (values by filter name)."""
    wanted: list[EC2FilterTypeDef] = [{"Name": name, "Values": values} for name, values in filters.items()]
    return {
        instance["InstanceId"]: instance.get("PrivateIpAddress", "")
        for page in ec2().get_paginator("describe_instances").paginate(Filters=wanted)
        for reservation in page["Reservations"]
        for instance in reservation["Instances"]
    }


def _group(described: AutoScalingGroupTypeDef) -> Group:
    tags = {tag["Key"]: tag["Value"] for tag in described.get("Tags", [])}
    return Group(
        name=described["AutoScalingGroupName"],
        version=Version(stack=tags["tyrell:stack"], role=tags["tyrell:role"], id=tags["tyrell:version"]),
        release=tags.get("tyrell:release", ""),
        min=described["MinSize"],
        max=described["MaxSize"],
        desired=described["DesiredCapacity"],
        target_groups=tuple(described.get("TargetGroupARNs", [])),
        machines=tuple(
            Machine(id=member["InstanceId"], address="", lifecycle=member["LifecycleState"])
            for member in described["Instances"]
        ),
        tags=tags,
        subnets=tuple(filter(None, described.get("VPCZoneIdentifier", "").split(","))),
        suspended=tuple(each["ProcessName"] for each in described.get("SuspendedProcesses", [])),
    )


def find_group(version: Version) -> Group:
    """The version's group. Raises NotFound naming the versions there are."""
    groups = find_groups(version.stack, version.role)
    for group in groups:
        if group.version == version:
            return group
    known = ", ".join(group.version.id for group in groups) or "none"
    raise NotFound(f"version {version.id} of {version.role} in stack {version.stack}", f"its versions: {known}")


def count_free_addresses(group: Group) -> int:
    """How many more machines the group's subnets have addresses for."""
    described = ec2().describe_subnets(SubnetIds=group.subnets)["Subnets"]
    return sum(subnet["AvailableIpAddressCount"] for subnet in described)


@step("scale {version.role} {version.id} to {size}", system="autoscaling")
def scale_group(version: Version, size: int) -> Changes:
    """Ask the version's group for `size` machines; whether the role allows so many has been checked before."""
    group = find_group(version)
    if group.desired == size:
        logger.info("%s wants %d machines already: nothing to do", group.name, size)
        return ()
    autoscaling().update_auto_scaling_group(
        AutoScalingGroupName=group.name, MinSize=min(group.min, size), DesiredCapacity=size
    )
    tell_event(Event.VERSION_SCALED, version, before=group.desired, after=size)
    return (f"scaled {version.role} {version.id} from {group.desired} to {size}",)


@step("{version.role} {version.id} has {size} machines", system="autoscaling")
def await_size(version: Version, size: int, patience: Patience) -> None:
    """Wait until the group has neither more machines nor fewer, those that are just leaving included."""

    def look() -> bool | NotYet:
        machines = find_group(version).machines
        shown = ", ".join(f"{machine.id} is {machine.lifecycle}" for machine in machines) or "it has none"
        return len(machines) == size or NotYet(shown)

    wait_until(f"{version.role} {version.id} to have {size} machines", look, patience)
