"""Security groups and their rules."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from tyrell.local.cloudformation.errors import ResourceFailedError
from tyrell.local.cloudformation.resources.door import Door
from tyrell.local.cloudformation.resources.network import tag_ec2
from tyrell.local.cloudformation.resources.resource_type import (
    Name,
    Properties,
    ResourceType,
    delete_by,
    list_tags,
    pick,
    words,
)

RULE = words("IpProtocol FromPort ToPort CidrIp CidrIpv6 SourceSecurityGroupId DestinationSecurityGroupId Description")
ALL_TRAFFIC_OUT = {"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}
"""The rule that EC2 gives every new group of a VPC; a template's own egress rules take its place."""


def permission(rule: Properties) -> dict[str, Any]:
    """One of CloudFormation's rules as EC2's IpPermission."""
    if unknown := sorted(rule.keys() - RULE):
        raise ResourceFailedError(f"Encountered unsupported property {unknown[0]}")
    described = pick(rule, "Description")
    result = pick(rule, "IpProtocol FromPort ToPort")
    if "CidrIp" in rule:
        result["IpRanges"] = [{"CidrIp": rule["CidrIp"], **described}]
    if "CidrIpv6" in rule:
        result["Ipv6Ranges"] = [{"CidrIpv6": rule["CidrIpv6"], **described}]
    for other in ("SourceSecurityGroupId", "DestinationSecurityGroupId"):
        if other in rule:
            result["UserIdGroupPairs"] = [{"GroupId": rule[other], **described}]
    return result


def _add_rules(door: Door, direction: str, group: str, rules: list[Properties]) -> None:
    _change_rules(door, f"authorize_security_group_{direction}", group, rules, "InvalidPermission.Duplicate")


def _drop_rules(door: Door, direction: str, group: str, rules: list[Properties]) -> None:
    _change_rules(door, f"revoke_security_group_{direction}", group, rules, "InvalidPermission.NotFound")


def _change_rules(door: Door, operation: str, group: str, rules: list[Properties], already_so: str) -> None:
    for rule in rules:
        try:
            door.call("ec2", operation, GroupId=group, IpPermissions=[permission(rule)])
        except ClientError as error:
            if error.response["Error"]["Code"] != already_so:
                raise


def _create_group(door: Door, p: Properties) -> str:
    names = pick(p, "GroupName VpcId") | {"Description": p["GroupDescription"]}
    return str(door.call("ec2", "create_security_group", **names)["GroupId"])


def _configure_group(door: Door, group: str, new: Properties, old: Properties) -> None:
    tag_ec2(door, group, new, old)
    for direction, name in (("ingress", "SecurityGroupIngress"), ("egress", "SecurityGroupEgress")):
        implicit = [ALL_TRAFFIC_OUT] if direction == "egress" else []
        before = old.get(name) or implicit
        after = new.get(name) or implicit
        _drop_rules(door, direction, group, [rule for rule in before if rule not in after])
        _add_rules(door, direction, group, [rule for rule in after if rule not in before])


def _group_attributes(_: Door, group: str, p: Properties) -> Properties:
    return {"GroupId": group, **pick(p, "VpcId")}


def _rule_type(direction: str, peer: str) -> ResourceType:
    """A rule as a resource of its own: AWS::EC2::SecurityGroupIngress or ...Egress."""

    def rule(p: Properties) -> Properties:
        return {name: value for name, value in p.items() if name != "GroupId"}

    def create(door: Door, p: Properties) -> str:
        asked = {"GroupId": p["GroupId"], "IpPermissions": [permission(rule(p))]}
        rules = door.call("ec2", f"authorize_security_group_{direction}", **asked).get("SecurityGroupRules") or []
        return str(rules[0]["SecurityGroupRuleId"]) if rules else f"{p['GroupId']}|{direction}"

    def delete(door: Door, _: str, p: Properties) -> None:
        _drop_rules(door, direction, p["GroupId"], [rule(p)])

    return ResourceType(
        name=f"AWS::EC2::SecurityGroup{direction.capitalize()}",
        fixed=words(f"GroupId IpProtocol FromPort ToPort CidrIp CidrIpv6 Description {peer}"),
        required=words("GroupId IpProtocol"),
        create=create,
        delete=delete,
    )


TYPES = (
    ResourceType(
        name="AWS::EC2::SecurityGroup",
        fixed=words("GroupName GroupDescription VpcId"),
        mutable=words("SecurityGroupIngress SecurityGroupEgress Tags"),
        required=words("GroupDescription"),
        create=_create_group,
        configure=_configure_group,
        attributes=_group_attributes,
        delete=delete_by("ec2", "delete_security_group", "GroupId"),
        named=Name("GroupName"),
        tagging=list_tags,
    ),
    _rule_type("ingress", "SourceSecurityGroupId"),
    _rule_type("egress", "DestinationSecurityGroupId"),
)
