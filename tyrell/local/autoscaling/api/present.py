"""Records as the API shows them: dictionaries in the shapes of botocore's model of the service."""

from __future__ import annotations

from typing import Any

from tyrell.local.autoscaling.records import Activity, Group, Hook, Member, ScheduledAction, Tag, Template


def group_view(group: Group) -> dict[str, Any]:
    """AutoScalingGroup."""
    return {
        "AutoScalingGroupName": group.name,
        "AutoScalingGroupARN": group.arn,
        "LaunchTemplate": template_view(group.template),
        "MinSize": group.minimum,
        "MaxSize": group.maximum,
        "DesiredCapacity": group.desired,
        "DefaultCooldown": group.cooldown_seconds,
        "AvailabilityZones": list(group.zones),
        "LoadBalancerNames": [],
        "TargetGroupARNs": list(group.target_groups),
        "HealthCheckType": group.health_check,
        "HealthCheckGracePeriod": group.grace_seconds,
        "Instances": [member_view(member) for member in group.members.values()],
        "CreatedTime": group.created,
        "SuspendedProcesses": [
            {"ProcessName": process, "SuspensionReason": reason} for process, reason in sorted(group.suspended.items())
        ],
        "VPCZoneIdentifier": ",".join(group.subnets),
        "EnabledMetrics": [{"Metric": metric, "Granularity": "1Minute"} for metric in sorted(group.metrics)],
        "Tags": [tag_view(group, tag) for tag in group.tags.values()],
        "TerminationPolicies": list(group.termination_policies),
        "NewInstancesProtectedFromScaleIn": group.protect_new,
        **group.kept,
        **({"Status": "Delete in progress"} if group.deleting else {}),
    }


def member_view(member: Member) -> dict[str, Any]:
    """Instance."""
    return {
        "InstanceId": member.instance_id,
        "InstanceType": member.instance_type,
        "ImageId": member.image,
        "AvailabilityZone": member.zone,
        "LifecycleState": str(member.state),
        "HealthStatus": "Healthy" if member.healthy else "Unhealthy",
        "LaunchTemplate": template_view(member.template),
        "ProtectedFromScaleIn": member.protected,
    }


def instance_details_view(group: Group, member: Member) -> dict[str, Any]:
    """AutoScalingInstanceDetails, whose health status is in capitals."""
    view = member_view(member)
    return {**view, "AutoScalingGroupName": group.name, "HealthStatus": view["HealthStatus"].upper()}


def template_view(template: Template) -> dict[str, str]:
    """LaunchTemplateSpecification."""
    return {
        "LaunchTemplateId": template.id,
        "LaunchTemplateName": template.name,
        "Version": template.version,
    }


def tag_view(group: Group, tag: Tag) -> dict[str, Any]:
    """TagDescription."""
    return {
        "ResourceId": group.name,
        "ResourceType": "auto-scaling-group",
        "Key": tag.key,
        "Value": tag.value,
        "PropagateAtLaunch": tag.propagate,
    }


def activity_view(group: Group, activity: Activity) -> dict[str, Any]:
    """Activity. AWS cuts a message at 255 characters and a cause at 1023."""
    view = {
        "ActivityId": activity.id,
        "AutoScalingGroupName": group.name,
        "AutoScalingGroupARN": group.arn,
        "Description": activity.description,
        "Cause": activity.cause[:1023],
        "StartTime": activity.started,
        "EndTime": activity.ended,
        "StatusCode": activity.status,
        "StatusMessage": activity.message[:255] or None,
        "Progress": activity.progress,
        "Details": "{}",
    }
    return {key: value for key, value in view.items() if value is not None}


def hook_view(group: Group, hook: Hook) -> dict[str, Any]:
    """LifecycleHook."""
    return {
        "LifecycleHookName": hook.name,
        "AutoScalingGroupName": group.name,
        "LifecycleTransition": hook.transition,
        "HeartbeatTimeout": hook.heartbeat,
        "GlobalTimeout": min(172_800, 100 * hook.heartbeat),
        "DefaultResult": hook.default,
        **hook.notification,
    }


def scheduled_action_view(group: Group, action: ScheduledAction) -> dict[str, Any]:
    """ScheduledUpdateGroupAction; its StartTime is the time of the next run, as on AWS."""
    prefix, name = group.arn.replace(":autoScalingGroup:", ":scheduledUpdateGroupAction:", 1), action.name
    view = {
        "AutoScalingGroupName": group.name,
        "ScheduledActionName": action.name,
        "ScheduledActionARN": f"{prefix}:scheduledActionName/{name}",
        "StartTime": action.next_run,
        "Time": action.next_run,
        "EndTime": action.end,
        "Recurrence": action.recurrence,
        "TimeZone": action.timezone,
        "MinSize": action.minimum,
        "MaxSize": action.maximum,
        "DesiredCapacity": action.desired,
    }
    return {key: value for key, value in view.items() if value is not None}
