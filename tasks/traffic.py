"""Elastic Load Balancing: one listener rule per role carries the weights of all its versions' target groups.

Live is whoever has weight there. Weighted forwards: https://docs.aws.amazon.com/elasticloadbalancing/latest/
application/load-balancer-listeners.html#forward-actions
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from tasks.clients import elbv2
from tasks.errors import Conflict, NotReady, UsageError, no_stack
from tasks.events import Event, tell_event
from tasks.groups import find_groups
from tasks.locks import Lock, check_held
from tasks.model import Changes, Group, Health, Noun, Version
from tasks.monitoring.annotations import annotate
from tasks.role_parts import ByLoadBalancer
from tasks.shares import shares_of
from tasks.stacks import find_stack
from tasks.steps import step

if TYPE_CHECKING:
    from types_boto3_elbv2.type_defs import (
        ActionTypeDef,
        ForwardActionConfigTypeDef,
        TargetGroupTupleTypeDef,
    )

logger = logging.getLogger(__name__)

MOST_IN_A_RULE = 5
"""https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html"""


class Rule(Noun):
    """A role's listener rule; `weights` by target group ARN."""

    arn: str
    weights: dict[str, int]


def find_rule(stack: str, role: str, traffic: ByLoadBalancer) -> Rule | None:
    """The role's rule, or None before its first version was deployed. Raises NotFound when the stack is not there."""
    listener = _listener(stack, traffic)
    rules = elbv2().describe_rules(ListenerArn=listener)["Rules"]
    if not rules:
        return None
    described = elbv2().describe_tags(ResourceArns=[rule["RuleArn"] for rule in rules])["TagDescriptions"]
    tagged = {each["ResourceArn"]: {tag["Key"]: tag.get("Value", "") for tag in each["Tags"]} for each in described}
    for rule in rules:
        tags = tagged.get(rule["RuleArn"], {})
        if tags.get("tyrell:stack") == stack and tags.get("tyrell:role") == role:
            return Rule(arn=rule["RuleArn"], weights=_weights(rule["Actions"]))
    return None


def _weights(actions: Sequence[Any]) -> dict[str, int]:
    groups = actions[0].get("ForwardConfig", {}).get("TargetGroups", [])
    return {each["TargetGroupArn"]: each.get("Weight", 0) for each in groups}


def _listener(stack: str, traffic: ByLoadBalancer) -> str:
    base = find_stack(stack)
    if base is None:
        raise no_stack(stack)
    return base.outputs[f"{traffic.balancer.capitalize()}Listener"]


def _forward(weights: Mapping[str, int]) -> list[ActionTypeDef]:
    groups: list[TargetGroupTupleTypeDef] = [
        {"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()
    ]
    forward: ForwardActionConfigTypeDef = {"TargetGroups": groups}
    return [{"Type": "forward", "ForwardConfig": forward}]


def check_fits(rule: Rule | None, role: str, there: tuple[Group, ...]) -> None:
    """Raises UsageError when the role's rule has no place for one more version; `there` may have its place already."""
    if rule is None or any(arn in rule.weights for group in there for arn in group.target_groups):
        return
    if len(rule.weights) >= MOST_IN_A_RULE:
        raise UsageError(
            f"the listener rule of {role} holds {MOST_IN_A_RULE} versions, more AWS does not allow;"
            f" take one out with `tyrell retire {role} VERSION`"
        )


@step("give {group.version.role} {group.version.id} no traffic yet", system="elbv2")
def add_at_zero(lock: Lock | None, group: Group, traffic: ByLoadBalancer) -> Changes:
    """Name the group in its role's rule with weight 0: only then is it health-checked, and still gets no request.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
    Raises LockLost, and UsageError when the rule is full.
    """
    version, arn = group.version, group.target_groups[0]
    rule = find_rule(version.stack, version.role, traffic)
    if rule and arn in rule.weights:
        logger.info("%s %s is in the rule already: nothing to do", version.role, version.id)
        return ()
    check_fits(rule, version.role, (group,))
    check_held(lock)
    if rule is None:
        _create_rule(version, traffic, {arn: 0})
    else:
        elbv2().modify_rule(RuleArn=rule.arn, Actions=_forward({**rule.weights, arn: 0}))
    return (f"put {version.role} {version.id} into the rule at weight 0",)


def _create_rule(version: Version, traffic: ByLoadBalancer, weights: dict[str, int]) -> None:
    try:
        elbv2().create_rule(
            ListenerArn=_listener(version.stack, traffic),
            Priority=traffic.priority,
            Conditions=[{"Field": "path-pattern", "Values": [traffic.path]}],
            Actions=_forward(weights),
            Tags=[{"Key": "tyrell:stack", "Value": version.stack}, {"Key": "tyrell:role", "Value": version.role}],
        )
    except ClientError as error:  # the answer was lost, and the client has made the call again
        made = find_rule(version.stack, version.role, traffic)
        if error.response["Error"]["Code"] != "PriorityInUse" or made is None or made.weights != weights:
            raise


def find_health(group: Group) -> Health:
    """What the balancer itself sees of the group's machines."""
    if not group.machines:
        return Health(healthy=0, wanted=group.desired)
    described = elbv2().describe_target_health(TargetGroupArn=group.target_groups[0])["TargetHealthDescriptions"]
    members = {machine.id for machine in group.machines}
    states = {each["Target"]["Id"]: each["TargetHealth"] for each in described if each["Target"]["Id"] in members}
    problems = [
        f"{machine} is {state['State']}: {state.get('Description') or state.get('Reason', '')}"
        for machine in group.machines
        if (state := states.get(machine.id)) and state["State"] != "healthy"
    ]
    healthy = sum(state["State"] == "healthy" for state in states.values())
    return Health(healthy=healthy, wanted=group.desired, problems=tuple(problems))


def check_capacity(group: Group, floor: int) -> None:
    """Raises NotReady unless the balancer sees `floor` machines of the group healthy now, and one at least."""
    health = find_health(group)
    if health.healthy < max(floor, 1):
        missing = f"{health.healthy} of {health.wanted} machines are healthy in the load balancer"
        raise NotReady(f"{group.version.role} {group.version.id}", (missing, *health.problems))


@step("give {group.version.role} {group.version.id} {percent} % of the traffic", system="elbv2")
def shift_weights(
    lock: Lock | None, group: Group, rest: Group | None, traffic: ByLoadBalancer, percent: int, *, all_healthy: bool
) -> Changes:
    """Give `group` that share and `rest` what is left, with one rule write, and read it back.

    Looks immediately before whether the balancer sees all machines, or at least one, healthy in whichever of them gets
    more than it has; one is enough for a way back. Raises NotReady, LockLost, Conflict.
    """
    version = group.version
    groups = find_groups(version.stack, version.role)
    rule = find_rule(version.stack, version.role, traffic)
    if rule is None or group.target_groups[0] not in rule.weights:
        raise NotReady(f"{version.role} {version.id}", ("it is not in the listener rule; deploy it first",))
    wanted = dict.fromkeys(rule.weights, 0) | {group.target_groups[0]: percent}
    if rest:
        wanted[rest.target_groups[0]] = 100 - percent
    if rule.weights == wanted:
        logger.info("%s %s has %d %% already: nothing to do", version.role, version.id, percent)
        return ()
    for each in filter(None, (group, rest)):
        if wanted[each.target_groups[0]] > rule.weights.get(each.target_groups[0], 0):
            check_capacity(each, each.desired if all_healthy else 1)
    check_held(lock)
    written = _weights(elbv2().modify_rule(RuleArn=rule.arn, Actions=_forward(wanted))["Rules"][0]["Actions"])
    read = _weights(elbv2().describe_rules(RuleArns=[rule.arn])["Rules"][0]["Actions"])
    if not written == read == wanted:
        raise Conflict(f"the listener rule of {version.role}", str(wanted), str(read))
    changes = (f"gave {version.role} {version.id} {percent} % of the traffic",)
    annotate(version, "switch" if all_healthy else "rollback", changes, percent)
    before, after = shares_of(rule.weights, groups), shares_of(read, groups)
    tell_event(Event.VERSION_SWITCHED, version, weights=after, before=before)
    return changes


@step("take {group.version.role} {group.version.id} out of the rule", system="elbv2")
def remove_from_rule(lock: Lock | None, group: Group, traffic: ByLoadBalancer) -> Changes:
    """Drop a group without traffic from its role's rule. Raises LockLost, or Conflict when it got traffic."""
    version, arn = group.version, group.target_groups[0]
    rule = find_rule(version.stack, version.role, traffic)
    if rule is None or arn not in rule.weights:
        return ()
    if rule.weights[arn]:
        raise Conflict(f"the weight of {version.role} {version.id}", "0", str(rule.weights[arn]))
    others = {each: weight for each, weight in rule.weights.items() if each != arn}
    check_held(lock)
    if others:
        elbv2().modify_rule(RuleArn=rule.arn, Actions=_forward(others))
    else:  # a rule needs a group
        elbv2().delete_rule(RuleArn=rule.arn)
    return (f"took {version.role} {version.id} out of the rule",)


@step("remove the listener rule of {role}", system="elbv2")
def delete_rule(stack: str, role: str, traffic: ByLoadBalancer) -> Changes:
    """Take the role off its balancer, which then answers `no live version`."""
    base = find_stack(stack)
    if base is None or not base.outputs:  # gone already, or it never worked: then there is no listener
        return ()
    rule = find_rule(stack, role, traffic)
    if rule is None:
        return ()
    elbv2().delete_rule(RuleArn=rule.arn)
    return (f"removed the listener rule of {role}",)
