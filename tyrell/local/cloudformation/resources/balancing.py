"""Load balancers, target groups, listeners and their rules (Elastic Load Balancing v2)."""

from __future__ import annotations

from typing import Any

from tyrell.local.cloudformation.resources.door import Door
from tyrell.local.cloudformation.resources.resource_type import (
    Name,
    Properties,
    ResourceType,
    delete_by,
    id_as,
    list_tags,
    pick,
    words,
)

HEALTH_CHECK = (
    "HealthCheckEnabled HealthCheckIntervalSeconds HealthCheckPath HealthCheckPort HealthCheckProtocol "
    "HealthCheckTimeoutSeconds HealthyThresholdCount UnhealthyThresholdCount Matcher"
)
TARGET_GROUP = "Name Port Protocol ProtocolVersion VpcId TargetType IpAddressType"
LISTENER = "Port Protocol DefaultActions Certificates SslPolicy AlpnPolicy"


def _changed(new: Properties, old: Properties, names: str) -> dict[str, Any]:
    return {name: value for name, value in pick(new, names).items() if value != old.get(name)}


def _tag(door: Door, arn: str, new: Properties, old: Properties) -> None:
    kept = {tag["Key"] for tag in new.get("Tags", [])}
    if dropped := [tag["Key"] for tag in old.get("Tags", []) if tag["Key"] not in kept]:
        door.call("elbv2", "remove_tags", ResourceArns=[arn], TagKeys=dropped)
    if old and _changed(new, old, "Tags"):
        door.call("elbv2", "add_tags", ResourceArns=[arn], Tags=new["Tags"])


def _balancer(door: Door, arn: str) -> dict[str, Any]:
    found: dict[str, Any] = door.call("elbv2", "describe_load_balancers", LoadBalancerArns=[arn])["LoadBalancers"][0]
    return found


def _create_balancer(door: Door, p: Properties) -> str:
    asked = pick(p, "Name Type Scheme Subnets SecurityGroups IpAddressType Tags")
    return str(door.call("elbv2", "create_load_balancer", **asked)["LoadBalancers"][0]["LoadBalancerArn"])


def _configure_balancer(door: Door, arn: str, new: Properties, old: Properties) -> None:
    if changed := _changed(new, old, "LoadBalancerAttributes"):
        attributes = changed["LoadBalancerAttributes"]
        door.call("elbv2", "modify_load_balancer_attributes", LoadBalancerArn=arn, Attributes=attributes)
    if old:
        _tag(door, arn, new, old)
        operations = {
            "Subnets": "set_subnets",
            "SecurityGroups": "set_security_groups",
            "IpAddressType": "set_ip_address_type",
        }
        for name, value in _changed(new, old, " ".join(operations)).items():
            door.call("elbv2", operations[name], LoadBalancerArn=arn, **{name: value})
    door.wait_until(
        f"load balancer {arn} is active", lambda: _balancer(door, arn)["State"]["Code"] == "active", seconds=300
    )


def _balancer_attributes(door: Door, arn: str, _p: Properties) -> Properties:
    found = _balancer(door, arn)
    return pick(found, "LoadBalancerArn LoadBalancerName DNSName SecurityGroups") | {
        "CanonicalHostedZoneID": found["CanonicalHostedZoneId"],
        "LoadBalancerFullName": arn.split(":loadbalancer/")[1],
    }


def _create_target_group(door: Door, p: Properties) -> str:
    asked = pick(p, f"{TARGET_GROUP} {HEALTH_CHECK} Tags")
    return str(door.call("elbv2", "create_target_group", **asked)["TargetGroups"][0]["TargetGroupArn"])


def _configure_target_group(door: Door, arn: str, new: Properties, old: Properties) -> None:
    if changed := _changed(new, old, "TargetGroupAttributes"):
        attributes = changed["TargetGroupAttributes"]
        door.call("elbv2", "modify_target_group_attributes", TargetGroupArn=arn, Attributes=attributes)
    if old:
        _tag(door, arn, new, old)
        if changed := _changed(new, old, HEALTH_CHECK):
            door.call("elbv2", "modify_target_group", TargetGroupArn=arn, **changed)


def _target_group_attributes(door: Door, arn: str, _p: Properties) -> Properties:
    found = door.call("elbv2", "describe_target_groups", TargetGroupArns=[arn])["TargetGroups"][0]
    return {
        "TargetGroupArn": arn,
        "TargetGroupName": found["TargetGroupName"],
        "TargetGroupFullName": arn.rsplit(":", maxsplit=1)[-1],
        "LoadBalancerArns": found.get("LoadBalancerArns", []),
    }


def _create_listener(door: Door, p: Properties) -> str:
    return str(door.call("elbv2", "create_listener", **p)["Listeners"][0]["ListenerArn"])


def _configure_listener(door: Door, arn: str, new: Properties, old: Properties) -> None:
    if old:
        door.call("elbv2", "modify_listener", ListenerArn=arn, **pick(new, LISTENER))


def _create_rule(door: Door, p: Properties) -> str:
    return str(door.call("elbv2", "create_rule", **p)["Rules"][0]["RuleArn"])


def _configure_rule(door: Door, arn: str, new: Properties, old: Properties) -> None:
    if not old:
        return
    if new["Priority"] != old["Priority"]:
        priorities = [{"RuleArn": arn, "Priority": new["Priority"]}]
        door.call("elbv2", "set_rule_priorities", RulePriorities=priorities)
    door.call("elbv2", "modify_rule", RuleArn=arn, **pick(new, "Conditions Actions"))


TYPES = (
    ResourceType(
        name="AWS::ElasticLoadBalancingV2::LoadBalancer",
        fixed=words("Name Type Scheme"),
        mutable=words("Subnets SecurityGroups IpAddressType LoadBalancerAttributes Tags"),
        create=_create_balancer,
        configure=_configure_balancer,
        attributes=_balancer_attributes,
        delete=delete_by("elbv2", "delete_load_balancer", "LoadBalancerArn"),
        named=Name("Name", 32),
        tagging=list_tags,
    ),
    ResourceType(
        name="AWS::ElasticLoadBalancingV2::TargetGroup",
        fixed=words(TARGET_GROUP),
        mutable=words(f"{HEALTH_CHECK} TargetGroupAttributes Tags"),
        create=_create_target_group,
        configure=_configure_target_group,
        attributes=_target_group_attributes,
        delete=delete_by("elbv2", "delete_target_group", "TargetGroupArn"),
        named=Name("Name", 32),
        tagging=list_tags,
    ),
    ResourceType(
        name="AWS::ElasticLoadBalancingV2::Listener",
        fixed=words("LoadBalancerArn"),
        mutable=words(LISTENER),
        required=words("LoadBalancerArn DefaultActions"),
        create=_create_listener,
        configure=_configure_listener,
        attributes=id_as("ListenerArn"),
        delete=delete_by("elbv2", "delete_listener", "ListenerArn"),
    ),
    ResourceType(
        name="AWS::ElasticLoadBalancingV2::ListenerRule",
        fixed=words("ListenerArn"),
        mutable=words("Priority Conditions Actions"),
        required=words("ListenerArn Priority Conditions Actions"),
        create=_create_rule,
        configure=_configure_rule,
        attributes=id_as("RuleArn"),
        delete=delete_by("elbv2", "delete_rule", "RuleArn"),
    ),
)
