"""From the parameters of a request to records; ValidationError for what is wrong or not supported here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

from tyrell.local.autoscaling.capacity import TERMINATION_POLICIES
from tyrell.local.autoscaling.errors import ValidationError
from tyrell.local.autoscaling.records import LAUNCHING, TERMINATING, Hook, Tag

KEPT = ("CapacityRebalance", "Context", "DefaultInstanceWarmup", "PlacementGroup", "ServiceLinkedRoleARN")
"""Parameters of a group that are stored and shown only: they concern Spot, scaling policies and bills."""
_SUPPORTED = frozenset(KEPT) | {
    "AutoScalingGroupName",
    "AvailabilityZones",
    "DefaultCooldown",
    "DesiredCapacity",
    "HealthCheckGracePeriod",
    "HealthCheckType",
    "LaunchTemplate",
    "LifecycleHookSpecificationList",
    "MaxSize",
    "MinSize",
    "NewInstancesProtectedFromScaleIn",
    "Tags",
    "TargetGroupARNs",
    "TerminationPolicies",
    "VPCZoneIdentifier",
}


def check_supported(params: Mapping[str, Any]) -> None:
    """ValidationError when a group is asked for something that it would silently not get."""
    unsupported = sorted(name for name, value in params.items() if value and name not in _SUPPORTED)
    if unsupported:
        raise ValidationError(f"The embedded cloud's Auto Scaling does not support {', '.join(unsupported)}.")


def settings_of(params: Mapping[str, Any]) -> dict[str, Any]:
    """The given settings of a group that need no look at another service, by their names in `Group`."""
    read: dict[str, tuple[str, Callable[[Any], object]]] = {
        "health_check": ("HealthCheckType", _health_check),
        "grace_seconds": ("HealthCheckGracePeriod", int),
        "cooldown_seconds": ("DefaultCooldown", int),
        "termination_policies": ("TerminationPolicies", _termination_policies),
        "protect_new": ("NewInstancesProtectedFromScaleIn", bool),
    }
    return {field: convert(params[name]) for field, (name, convert) in read.items() if name in params}


def kept_of(params: Mapping[str, Any]) -> dict[str, object]:
    """The given settings that are only stored."""
    return {name: params[name] for name in KEPT if name in params}


def subnets_of(params: Mapping[str, Any]) -> tuple[str, ...]:
    """The subnet ids of VPCZoneIdentifier, which separates them by commas; each once."""
    names = (name.strip() for name in params.get("VPCZoneIdentifier", "").split(","))
    return tuple(dict.fromkeys(name for name in names if name))


def new_tag(tag: Mapping[str, Any]) -> Tag:
    """A tag of a request."""
    return Tag(tag["Key"], tag.get("Value", ""), bool(tag.get("PropagateAtLaunch", False)))


def new_hook(params: Mapping[str, Any], before: Hook | None = None) -> Hook:
    """A lifecycle hook of a request; what is not given stays as in `before`."""
    transition = params.get("LifecycleTransition", before and before.transition)
    if transition not in (LAUNCHING, TERMINATING):
        raise ValidationError(f"Lifecycle hook transition must be {LAUNCHING} or {TERMINATING}")
    hook = before or Hook(params["LifecycleHookName"], transition)
    heartbeat = int(params.get("HeartbeatTimeout", hook.heartbeat))
    if not 30 <= heartbeat <= 7200:
        raise ValidationError("Heartbeat timeout must be between 30 and 7200 seconds")
    default = params.get("DefaultResult", hook.default)
    if default not in ("CONTINUE", "ABANDON"):
        raise ValidationError("Default result must be CONTINUE or ABANDON")
    names = ("NotificationMetadata", "NotificationTargetARN", "RoleARN")
    notification = hook.notification | {name: params[name] for name in names if name in params}
    return Hook(hook.name, transition, heartbeat, default, notification)


def _health_check(value: str) -> Literal["EC2", "ELB"]:
    types = {part.strip() for part in value.split(",")}
    if not types <= {"EC2", "ELB"}:
        raise ValidationError(f"Invalid HealthCheckType: {value}; it must be EC2 or ELB")
    return "ELB" if "ELB" in types else "EC2"


def _termination_policies(values: Iterable[str]) -> tuple[str, ...]:
    policies = tuple(values) or ("Default",)
    if unknown := sorted(set(policies) - TERMINATION_POLICIES):
        raise ValidationError(f"Termination policies not supported: {', '.join(unknown)}")
    return policies
