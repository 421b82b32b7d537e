"""Launch templates."""

from __future__ import annotations

from typing import Any

from tyrell.local.cloudformation.resources.door import Door
from tyrell.local.cloudformation.resources.network import tag_ec2
from tyrell.local.cloudformation.resources.resource_type import (
    Name,
    Properties,
    ResourceType,
    Tags,
    delete_by,
    pick,
    words,
)


def _specification_tags(properties: Properties, tags: Tags) -> Properties:
    """The stack's tags for the launch template itself, among its TagSpecifications."""
    specifications = list(properties.get("TagSpecifications", []))
    own = _own_tags(properties)["Tags"]
    others = [spec for spec in specifications if spec["ResourceType"] != "launch-template"]
    named = {tag["Key"] for tag in own}
    merged = own + [tag for tag in tags if tag["Key"] not in named]
    return {**properties, "TagSpecifications": [*others, {"ResourceType": "launch-template", "Tags": merged}]}


def _own_tags(properties: Properties) -> dict[str, Tags]:
    specifications = properties.get("TagSpecifications", [])
    return {
        "Tags": [tag for spec in specifications if spec["ResourceType"] == "launch-template" for tag in spec["Tags"]]
    }


def _create(door: Door, p: Properties) -> str:
    template = door.call("ec2", "create_launch_template", **p)["LaunchTemplate"]
    return str(template["LaunchTemplateId"])


def _configure(door: Door, template: str, new: Properties, old: Properties) -> None:
    if not old:
        return
    tag_ec2(door, template, _own_tags(new), _own_tags(old))
    if new["LaunchTemplateData"] != old["LaunchTemplateData"]:
        data = pick(new, "LaunchTemplateData")
        door.call("ec2", "create_launch_template_version", LaunchTemplateId=template, **data)


def _attributes(door: Door, template: str, _p: Properties) -> dict[str, Any]:
    found = door.call("ec2", "describe_launch_templates", LaunchTemplateIds=[template])["LaunchTemplates"][0]
    return {
        "LaunchTemplateId": template,
        "LatestVersionNumber": str(found["LatestVersionNumber"]),
        "DefaultVersionNumber": str(found["DefaultVersionNumber"]),
    }


TYPES = (
    ResourceType(
        name="AWS::EC2::LaunchTemplate",
        fixed=words("LaunchTemplateName"),
        mutable=words("LaunchTemplateData TagSpecifications"),
        required=words("LaunchTemplateData"),
        create=_create,
        configure=_configure,
        attributes=_attributes,
        delete=delete_by("ec2", "delete_launch_template", "LaunchTemplateId"),
        named=Name("LaunchTemplateName", 128),
        tagging=_specification_tags,
    ),
)
