"""Changing the size of the live version: more machines until they are healthy, fewer without cutting anybody off."""

from __future__ import annotations

from datetime import timedelta

from botocore.exceptions import ClientError

from tasks.clients import autoscaling
from tasks.draining import drain_machine
from tasks.groups import await_size, find_group, scale_group
from tasks.health import await_healthy
from tasks.locks import Lock, check_held
from tasks.model import Changes, Group, Machine
from tasks.registry import check_room, find_members, find_peers
from tasks.role_parts import ByRegistry
from tasks.roles import Role
from tasks.steps import step
from tasks.waits import pause


def scale_out(group: Group, role: Role, size: int) -> Changes:
    """`size` machines, all healthy."""
    changes = scale_group(group.version, size)
    await_healthy(group.version, role)
    return changes


def scale_in(lock: Lock | None, group: Group, role: Role, size: int) -> Changes:
    """One machine after the other leaves, the ones that do not work first. Raises NotReady, LockLost."""
    by_worth = sorted(group.machines, key=lambda machine: (machine in group.in_service, machine.id))
    leaving = by_worth[: len(group.machines) - size]
    if isinstance(role.traffic, ByRegistry):
        gone = {machine.address for machine in leaving}
        staying = tuple(each for each in find_members(group.version, role.traffic) if each.address not in gone)
        check_room(group.version.stack, role.traffic, f"{role.name} {group.version.id} with {size} machines", staying)
    for machine in leaving:
        check_held(lock)
        remove_machine(group, machine, role)
    await_size(group.version, size, role.patience)
    await_healthy(group.version, role)
    return (f"scaled {role.name} {group.version.id} from {group.desired} to {size}",)


@step("{machine.id} leaves {group.version.role} {group.version.id}", system="autoscaling")
def remove_machine(group: Group, machine: Machine, role: Role) -> None:
    """Take the machine and one of the group's size away; its balancer lets what is in flight end.

    It gets no new requests from then on, so its connections can be moved off it. Hubs of a registered member connect
    again somewhere else, at the role's rate. https://docs.aws.amazon.com/autoscaling/ec2/APIReference/
    API_TerminateInstanceInAutoScalingGroup.html
    """
    now = find_group(group.version)
    if machine.id not in {each.id for each in now.machines}:
        return
    if now.min >= now.desired:
        autoscaling().update_auto_scaling_group(AutoScalingGroupName=group.name, MinSize=now.desired - 1)
    hubs = 0
    if isinstance(role.traffic, ByRegistry):
        peers = find_peers(group.version.stack, role.traffic)
        hubs = sum(count for url, count in peers.items() if url.startswith(f"http://{machine.address}:"))
    _terminate(group, machine)
    drain_machine(machine, role)
    if hubs:
        pause(f"the hubs of {machine.id} to reconnect", timedelta(seconds=hubs / role.rollout.drain_rate))


def _terminate(group: Group, machine: Machine) -> None:
    """One that is on its way out already, by an earlier try whose answer got lost, is left to go."""
    try:
        autoscaling().terminate_instance_in_auto_scaling_group(
            InstanceId=machine.id, ShouldDecrementDesiredCapacity=True
        )
    except ClientError:
        if machine.id in {each.id for each in find_group(group.version).in_service}:
            raise
