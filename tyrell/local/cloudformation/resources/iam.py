"""Roles, instance profiles and policies."""

from __future__ import annotations

from tyrell.local.cloudformation.resources.door import Door
from tyrell.local.cloudformation.resources.resource_type import (
    Name,
    Properties,
    ResourceType,
    id_as,
    list_tags,
    pick,
    words,
)


def _create_role(door: Door, p: Properties) -> str:
    asked = pick(p, "RoleName Path Description AssumeRolePolicyDocument MaxSessionDuration Tags")
    return str(door.call("iam", "create_role", **asked)["Role"]["RoleName"])


def _configure_role(door: Door, role: str, new: Properties, old: Properties) -> None:
    _configure_inline_policies(door, role, new, old)
    _attach(door, [role], new.get("ManagedPolicyArns", []), old.get("ManagedPolicyArns", []))
    if not old:
        return
    if new["AssumeRolePolicyDocument"] != old["AssumeRolePolicyDocument"]:
        document = new["AssumeRolePolicyDocument"]
        door.call("iam", "update_assume_role_policy", RoleName=role, PolicyDocument=document)
    settings = "Description MaxSessionDuration"
    if pick(new, settings) != pick(old, settings):
        door.call("iam", "update_role", RoleName=role, **pick(new, settings))
    kept = {tag["Key"] for tag in new["Tags"]}
    if dropped := [tag["Key"] for tag in old["Tags"] if tag["Key"] not in kept]:
        door.call("iam", "untag_role", RoleName=role, TagKeys=dropped)
    if new["Tags"] != old["Tags"]:
        door.call("iam", "tag_role", RoleName=role, Tags=new["Tags"])


def _configure_inline_policies(door: Door, role: str, new: Properties, old: Properties) -> None:
    after = {policy["PolicyName"]: policy for policy in new.get("Policies", [])}
    before = {policy["PolicyName"]: policy for policy in old.get("Policies", [])}
    for name in before.keys() - after.keys():
        door.drop("iam", "delete_role_policy", RoleName=role, PolicyName=name)
    for name, policy in after.items():
        if policy != before.get(name):
            door.call("iam", "put_role_policy", RoleName=role, **policy)


def _attach(door: Door, roles: list[str], new: list[str], old: list[str]) -> None:
    for role in roles:
        for arn in new:
            if arn not in old:
                door.call("iam", "attach_role_policy", RoleName=role, PolicyArn=arn)
        for arn in old:
            if arn not in new:
                door.drop("iam", "detach_role_policy", RoleName=role, PolicyArn=arn)


def _delete_role(door: Door, role: str, _p: Properties) -> None:
    for arn in door.call("iam", "list_attached_role_policies", RoleName=role)["AttachedPolicies"]:
        door.drop("iam", "detach_role_policy", RoleName=role, PolicyArn=arn["PolicyArn"])
    for name in door.call("iam", "list_role_policies", RoleName=role)["PolicyNames"]:
        door.drop("iam", "delete_role_policy", RoleName=role, PolicyName=name)
    door.call("iam", "delete_role", RoleName=role)


def _create_profile(door: Door, p: Properties) -> str:
    profile = door.call("iam", "create_instance_profile", **pick(p, "InstanceProfileName Path"))["InstanceProfile"]
    return str(profile["InstanceProfileName"])


def _configure_profile(door: Door, profile: str, new: Properties, old: Properties) -> None:
    for role in old.get("Roles", []):
        if role not in new["Roles"]:
            door.drop("iam", "remove_role_from_instance_profile", InstanceProfileName=profile, RoleName=role)
    for role in new["Roles"]:
        if role not in old.get("Roles", []):
            door.call("iam", "add_role_to_instance_profile", InstanceProfileName=profile, RoleName=role)


def _delete_profile(door: Door, profile: str, _p: Properties) -> None:
    found = door.call("iam", "get_instance_profile", InstanceProfileName=profile)["InstanceProfile"]
    for role in found["Roles"]:
        door.drop("iam", "remove_role_from_instance_profile", InstanceProfileName=profile, RoleName=role["RoleName"])
    door.call("iam", "delete_instance_profile", InstanceProfileName=profile)


def _create_policy(_door: Door, p: Properties) -> str:
    return str(p["PolicyName"])


def _configure_policy(door: Door, name: str, new: Properties, old: Properties) -> None:
    for role in old.get("Roles", []):
        if role not in new["Roles"]:
            door.drop("iam", "delete_role_policy", RoleName=role, PolicyName=name)
    for role in new["Roles"]:
        document = new["PolicyDocument"]
        door.call("iam", "put_role_policy", RoleName=role, PolicyName=name, PolicyDocument=document)


def _delete_policy(door: Door, name: str, p: Properties) -> None:
    for role in p["Roles"]:
        door.drop("iam", "delete_role_policy", RoleName=role, PolicyName=name)


def _create_managed_policy(door: Door, p: Properties) -> str:
    asked = pick(p, "Path Description PolicyDocument") | {"PolicyName": p["ManagedPolicyName"]}
    return str(door.call("iam", "create_policy", **asked)["Policy"]["Arn"])


def _configure_managed_policy(door: Door, arn: str, new: Properties, old: Properties) -> None:
    if old and new["PolicyDocument"] != old["PolicyDocument"]:
        _drop_versions(door, arn)
        document = new["PolicyDocument"]
        door.call("iam", "create_policy_version", PolicyArn=arn, PolicyDocument=document, SetAsDefault=True)
    after, before = new.get("Roles", []), old.get("Roles", [])
    _attach(door, [role for role in after if role not in before], [arn], [])
    _attach(door, [role for role in before if role not in after], [], [arn])


def _drop_versions(door: Door, arn: str) -> None:
    """A policy has five versions at most; CloudFormation keeps the default one only."""
    for version in door.call("iam", "list_policy_versions", PolicyArn=arn)["Versions"]:
        if not version["IsDefaultVersion"]:
            door.call("iam", "delete_policy_version", PolicyArn=arn, VersionId=version["VersionId"])


def _delete_managed_policy(door: Door, arn: str, p: Properties) -> None:
    _attach(door, p.get("Roles", []), [], [arn])
    _drop_versions(door, arn)
    door.call("iam", "delete_policy", PolicyArn=arn)


TYPES = (
    ResourceType(
        name="AWS::IAM::Role",
        fixed=words("RoleName Path"),
        mutable=words("Description AssumeRolePolicyDocument Policies ManagedPolicyArns MaxSessionDuration Tags"),
        required=words("AssumeRolePolicyDocument"),
        create=_create_role,
        configure=_configure_role,
        attributes=lambda door, role, _p: pick(door.call("iam", "get_role", RoleName=role)["Role"], "Arn RoleId"),
        delete=_delete_role,
        named=Name("RoleName", 64),
        tagging=list_tags,
    ),
    ResourceType(
        name="AWS::IAM::InstanceProfile",
        fixed=words("InstanceProfileName Path"),
        mutable=words("Roles"),
        required=words("Roles"),
        create=_create_profile,
        configure=_configure_profile,
        attributes=lambda door, profile, _p: pick(
            door.call("iam", "get_instance_profile", InstanceProfileName=profile)["InstanceProfile"], "Arn"
        ),
        delete=_delete_profile,
        named=Name("InstanceProfileName", 128),
    ),
    ResourceType(
        name="AWS::IAM::Policy",
        fixed=words("PolicyName"),
        mutable=words("PolicyDocument Roles"),
        required=words("PolicyName PolicyDocument Roles"),
        create=_create_policy,
        configure=_configure_policy,
        delete=_delete_policy,
    ),
    ResourceType(
        name="AWS::IAM::ManagedPolicy",
        fixed=words("ManagedPolicyName Path Description"),
        mutable=words("PolicyDocument Roles"),
        required=words("PolicyDocument"),
        create=_create_managed_policy,
        configure=_configure_managed_policy,
        attributes=id_as("PolicyArn"),
        delete=_delete_managed_policy,
        named=Name("ManagedPolicyName", 128),
    ),
)
