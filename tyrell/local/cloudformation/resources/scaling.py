"""Auto Scaling groups and their scheduled actions."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from tyrell.local.cloudformation.errors import ResourceFailedError
from tyrell.local.cloudformation.resources.door import Door
from tyrell.local.cloudformation.resources.resource_type import (
    Name,
    Properties,
    ResourceType,
    Tags,
    pick,
    words,
)

SIZES = "MinSize MaxSize DesiredCapacity"
DIRECT = (
    f"{SIZES} LaunchTemplate HealthCheckType HealthCheckGracePeriod DefaultInstanceWarmup TerminationPolicies "
    "NewInstancesProtectedFromScaleIn"
)
"""Properties that the API takes under the same names."""

GROUP_GONE_AFTER = 300
"""Seconds that the instances of a deleted group have to go away."""


def _group_tags(properties: Properties, tags: Tags) -> Properties:
    """The stack's tags stay on the group itself; only the template's own may propagate to instances."""
    own = list(properties.get("Tags", []))
    named = {tag["Key"] for tag in own}
    added = [{**tag, "PropagateAtLaunch": False} for tag in tags if tag["Key"] not in named]
    return {**properties, "Tags": own + added}


def _api_tags(group: str, tags: Tags) -> list[dict[str, Any]]:
    return [{"ResourceId": group, "ResourceType": "auto-scaling-group", **tag} for tag in tags]


def _api_settings(p: Properties) -> dict[str, Any]:
    settings = pick(p, DIRECT)
    if "Cooldown" in p or "DefaultCooldown" in p:
        settings["DefaultCooldown"] = p.get("Cooldown", p.get("DefaultCooldown"))
    if isinstance(p.get("VPCZoneIdentifier"), str):
        raise ResourceFailedError("Value of property VPCZoneIdentifier must be of type List of String")
    if "VPCZoneIdentifier" in p:
        settings["VPCZoneIdentifier"] = ",".join(p["VPCZoneIdentifier"])
    return settings


def _create_group(door: Door, p: Properties) -> str:
    name = str(p["AutoScalingGroupName"])
    door.call(
        "autoscaling",
        "create_auto_scaling_group",
        AutoScalingGroupName=name,
        Tags=_api_tags(name, p["Tags"]),
        **_api_settings(p),
        **pick(p, "TargetGroupARNs LifecycleHookSpecificationList"),
    )
    return name


def _configure_group(door: Door, name: str, new: Properties, old: Properties) -> None:
    group = {"AutoScalingGroupName": name}
    for metrics in new.get("MetricsCollection", []):
        if metrics not in old.get("MetricsCollection", []):
            door.call("autoscaling", "enable_metrics_collection", **group, **metrics)
    if not old:
        return
    if _api_settings(new) != _api_settings(old):
        door.call("autoscaling", "update_auto_scaling_group", **group, **_api_settings(new))
    _change_tags(door, name, new["Tags"], old["Tags"])
    _change_target_groups(door, group, new.get("TargetGroupARNs", []), old.get("TargetGroupARNs", []))
    _change_hooks(door, group, new, old)


def _change_tags(door: Door, name: str, new: Tags, old: Tags) -> None:
    kept = {tag["Key"] for tag in new}
    if dropped := [tag for tag in old if tag["Key"] not in kept]:
        door.call("autoscaling", "delete_tags", Tags=_api_tags(name, dropped))
    if changed := [tag for tag in new if tag not in old]:
        door.call("autoscaling", "create_or_update_tags", Tags=_api_tags(name, changed))


def _change_target_groups(door: Door, group: dict[str, str], new: list[str], old: list[str]) -> None:
    if added := [arn for arn in new if arn not in old]:
        door.call("autoscaling", "attach_load_balancer_target_groups", **group, TargetGroupARNs=added)
    if dropped := [arn for arn in old if arn not in new]:
        door.call("autoscaling", "detach_load_balancer_target_groups", **group, TargetGroupARNs=dropped)


def _change_hooks(door: Door, group: dict[str, str], new: Properties, old: Properties) -> None:
    before, after = (p.get("LifecycleHookSpecificationList", []) for p in (old, new))
    dropped = {hook["LifecycleHookName"] for hook in before} - {hook["LifecycleHookName"] for hook in after}
    # a rollback drops hooks that a failed update may not have put; deleting those would be an error
    present = door.call("autoscaling", "describe_lifecycle_hooks", **group)["LifecycleHooks"] if dropped else []
    for name in sorted(dropped & {hook["LifecycleHookName"] for hook in present}):
        door.call("autoscaling", "delete_lifecycle_hook", **group, LifecycleHookName=name)
    for hook in after:
        if hook not in before:
            door.call("autoscaling", "put_lifecycle_hook", **group, **hook)


def _exists(door: Door, name: str) -> bool:
    found = door.call("autoscaling", "describe_auto_scaling_groups", AutoScalingGroupNames=[name])
    return bool(found["AutoScalingGroups"])


def _delete_group(door: Door, name: str, _p: Properties) -> None:
    # the API's error for a missing group is a ValidationError like any other: look instead
    if not _exists(door, name):
        return
    door.call("autoscaling", "delete_auto_scaling_group", AutoScalingGroupName=name, ForceDelete=True)
    door.wait_until(f"group {name} is gone", lambda: not _exists(door, name), seconds=GROUP_GONE_AFTER)


def _put_action(door: Door, name: str, p: Properties) -> None:
    door.call("autoscaling", "put_scheduled_update_group_action", **{**p, "ScheduledActionName": name})


def _create_action(door: Door, p: Properties) -> str:
    name = str(p["ScheduledActionName"])
    _put_action(door, name, p)
    return name


def _configure_action(door: Door, name: str, new: Properties, old: Properties) -> None:
    if old:
        _put_action(door, name, new)


def _delete_action(door: Door, name: str, p: Properties) -> None:
    group = pick(p, "AutoScalingGroupName")
    try:
        door.call("autoscaling", "delete_scheduled_action", **group, ScheduledActionName=name)
    except ClientError:
        found = door.call("autoscaling", "describe_scheduled_actions", **group, ScheduledActionNames=[name])
        if found["ScheduledUpdateGroupActions"]:
            raise


TYPES = (
    ResourceType(
        name="AWS::AutoScaling::AutoScalingGroup",
        fixed=words("AutoScalingGroupName"),
        mutable=words(
            f"{DIRECT} DefaultCooldown Cooldown VPCZoneIdentifier TargetGroupARNs MetricsCollection "
            "LifecycleHookSpecificationList Tags"
        ),
        required=words("MinSize MaxSize"),
        create=_create_group,
        configure=_configure_group,
        delete=_delete_group,
        named=Name("AutoScalingGroupName"),
        tagging=_group_tags,
    ),
    ResourceType(
        name="AWS::AutoScaling::ScheduledAction",
        fixed=words("AutoScalingGroupName ScheduledActionName"),
        mutable=words(f"{SIZES} StartTime EndTime Recurrence TimeZone"),
        required=words("AutoScalingGroupName"),
        create=_create_action,
        configure=_configure_action,
        delete=_delete_action,
        named=Name("ScheduledActionName"),
    ),
)
