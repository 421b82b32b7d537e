"""SSM parameters."""

from __future__ import annotations

from tyrell.local.cloudformation.resources.door import Door
from tyrell.local.cloudformation.resources.resource_type import (
    Name,
    Properties,
    ResourceType,
    delete_by,
    map_tags,
    pick,
    same_as_given,
    words,
)


def _create_parameter(door: Door, p: Properties) -> str:
    tags = [{"Key": key, "Value": value} for key, value in p["Tags"].items()]
    door.call("ssm", "put_parameter", **pick(p, "Name Type Value Description Tier"), Tags=tags)
    return str(p["Name"])


def _configure_parameter(door: Door, name: str, new: Properties, old: Properties) -> None:
    if not old:
        return
    door.call("ssm", "put_parameter", **pick(new, "Name Type Value Description Tier"), Overwrite=True)
    resource = {"ResourceType": "Parameter", "ResourceId": name}
    if dropped := sorted(old["Tags"].keys() - new["Tags"].keys()):
        door.call("ssm", "remove_tags_from_resource", **resource, TagKeys=dropped)
    tags = [{"Key": key, "Value": value} for key, value in new["Tags"].items()]
    door.call("ssm", "add_tags_to_resource", **resource, Tags=tags)


TYPES = (
    ResourceType(
        name="AWS::SSM::Parameter",
        fixed=words("Name Type"),
        mutable=words("Value Description Tier Tags"),
        required=words("Type Value"),
        create=_create_parameter,
        configure=_configure_parameter,
        attributes=same_as_given("Type Value"),
        delete=delete_by("ssm", "delete_parameter", "Name"),
        named=Name("Name"),
        tagging=map_tags,
    ),
)
