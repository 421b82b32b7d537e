"""CloudWatch log groups."""

from __future__ import annotations

from tyrell.local.cloudformation.resources.door import Door
from tyrell.local.cloudformation.resources.resource_type import (
    Name,
    Properties,
    ResourceType,
    delete_by,
    list_tags,
    words,
)


def _create_log_group(door: Door, p: Properties) -> str:
    tags = {tag["Key"]: tag["Value"] for tag in p["Tags"]}
    door.call("logs", "create_log_group", logGroupName=p["LogGroupName"], tags=tags)
    return str(p["LogGroupName"])


def _configure_log_group(door: Door, name: str, new: Properties, old: Properties) -> None:
    days = new.get("RetentionInDays")
    if days is None and "RetentionInDays" in old:
        door.call("logs", "delete_retention_policy", logGroupName=name)
    elif days != old.get("RetentionInDays"):
        door.call("logs", "put_retention_policy", logGroupName=name, retentionInDays=days)
    if not old:
        return
    after, before = ({tag["Key"]: tag["Value"] for tag in p["Tags"]} for p in (new, old))
    if dropped := sorted(before.keys() - after.keys()):
        door.call("logs", "untag_log_group", logGroupName=name, tags=dropped)
    if after != before:
        door.call("logs", "tag_log_group", logGroupName=name, tags=after)


def _log_group_attributes(door: Door, name: str, _p: Properties) -> Properties:
    groups = door.call("logs", "describe_log_groups", logGroupNamePrefix=name)["logGroups"]
    return {"Arn": next(group["arn"] for group in groups if group["logGroupName"] == name)}


TYPES = (
    ResourceType(
        name="AWS::Logs::LogGroup",
        fixed=words("LogGroupName"),
        mutable=words("RetentionInDays Tags"),
        create=_create_log_group,
        configure=_configure_log_group,
        attributes=_log_group_attributes,
        delete=delete_by("logs", "delete_log_group", "logGroupName"),
        named=Name("LogGroupName"),
        tagging=list_tags,
    ),
)
