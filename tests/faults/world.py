"""What a stack comes to: everything that an uninterrupted run and a disturbed one have to leave alike."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from tasks.clients import cloudformation, ec2, elbv2, s3, sqs
from tasks.errors import EtcdUnreachable, NotFound
from tasks.groups import find_groups
from tasks.health import find_health
from tasks.locks import find_locks
from tasks.marks import HOT_UNTIL, LEFT, find_bad, hot_until
from tasks.model import Group
from tasks.roles import load_role
from tasks.versions import find_shares

World = dict[str, Any]

STATEFUL = ("pending", "running", "shutting-down", "stopping", "stopped")


def look(stack: str, role: str) -> World:
    """The stack as it is, without what no two runs have in common: ids of machines and of runs, and times."""
    groups = find_groups(stack)
    kind = load_role(role)
    return {
        "stacks": {each["StackName"]: each["StackStatus"] for each in _stacks()},
        "groups": {group.name: _group(group) for group in groups},
        "shares": _if_there(partial(find_shares, stack, kind)),
        "healthy": {group.version.id: find_health(group, kind).healthy for group in groups if _is(group, role)},
        "bad": _if_there(partial(find_bad, stack, role)),
        "locks": _if_there(lambda: [lock.role for lock in find_locks(stack)]),
        "machines": sum(len(each["Instances"]) for each in _reservations()),
        "in rules": sorted(_rules()),
        "all": {
            "buckets": len(s3().list_buckets()["Buckets"]),
            "launch templates": len(ec2().describe_launch_templates()["LaunchTemplates"]),
            "queues": len(sqs().list_queues().get("QueueUrls", [])),
            "security groups": len(ec2().describe_security_groups()["SecurityGroups"]),
            "target groups": len(elbv2().describe_target_groups()["TargetGroups"]),
        },
    }


def differences(one: World, other: World) -> list[str]:
    """What is not alike, for people: of parts with names only those that differ."""
    found = []
    for part in (part for part in one if one[part] != other[part]):
        was, became = one[part], other[part]
        if isinstance(was, dict) and isinstance(became, dict):
            names = [name for name in was | became if was.get(name) != became.get(name)]
            was, became = ({name: side.get(name) for name in names} for side in (was, became))
        found.append(f"{part}: {was} became {became}")
    return found


def _if_there(look: Callable[[], Any]) -> Any:
    """What it knows; None without the stack, or without its etcd."""
    try:
        return look()
    except (EtcdUnreachable, NotFound):
        return None


def _is(group: Group, role: str) -> bool:
    return group.version.role == role


def _group(group: Group) -> dict[str, Any]:
    tags = {name: value for name, value in group.tags.items() if name.startswith("tyrell:") and name != "tyrell:run"}
    for moment in (LEFT, HOT_UNTIL):
        tags |= {moment: "set"} if moment in tags else {}
    sizes = {"min": group.min, "max": group.max, "desired": group.desired, "in service": len(group.in_service)}
    return sizes | {"suspended": sorted(group.suspended), "tags": tags, "stays up": hot_until(group) is not None}


def _stacks() -> Any:
    return cloudformation().describe_stacks()["Stacks"]


def _reservations() -> Any:
    filters: Any = [{"Name": "instance-state-name", "Values": list(STATEFUL)}]
    return ec2().describe_instances(Filters=filters)["Reservations"]


def _rules() -> list[tuple[str, int]]:
    """Every target group that a rule names, with its weight: leftovers too. Names are without their random end."""
    names = {
        group["TargetGroupArn"]: group["TargetGroupName"] for group in elbv2().describe_target_groups()["TargetGroups"]
    }
    return [
        (names.get(each["TargetGroupArn"], "deleted-").rpartition("-")[0], each["Weight"])
        for balancer in elbv2().describe_load_balancers()["LoadBalancers"]
        for listener in elbv2().describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
        for rule in elbv2().describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
        for action in rule["Actions"]
        for each in action.get("ForwardConfig", {}).get("TargetGroups", [])
    ]
