"""Create, update, delete and describe groups, and set their desired capacity."""

from __future__ import annotations

import uuid
from typing import Any

from moto.core.responses import ActionResult

from tyrell.local.autoscaling.api.base import Operations
from tyrell.local.autoscaling.api.present import activity_view, group_view
from tyrell.local.autoscaling.api.requests import check_supported, kept_of, new_hook, new_tag, settings_of, subnets_of
from tyrell.local.autoscaling.capacity import check_bounds, check_desired, resize
from tyrell.local.autoscaling.errors import AlreadyExists, ResourceInUse, ScalingActivityInProgress, ValidationError
from tyrell.local.autoscaling.lookups import check_target_groups, find_template, find_zones
from tyrell.local.autoscaling.records import Group
from tyrell.local.autoscaling.states import LEAVING
from tyrell.local.settings import ACCOUNT


class GroupOperations(Operations):
    """The operations on groups as a whole."""

    def create_auto_scaling_group(self) -> ActionResult:
        """CreateAutoScalingGroup: its template, subnets and target groups must exist."""
        group = self._new_group()
        with self.groups.lock:
            if self.groups.has(group.name):
                raise AlreadyExists(
                    f"AutoScalingGroup by this name already exists - A group with the name {group.name} already exists"
                )
            self.groups.add(group)
        return self.done()

    def _new_group(self) -> Group:
        params = self.params
        check_supported(params)
        name, low, high = params["AutoScalingGroupName"], int(params["MinSize"]), int(params["MaxSize"])
        desired = int(params.get("DesiredCapacity", low))
        check_bounds(low, high)
        check_desired(desired, low, high)
        if "LaunchTemplate" not in params:
            raise ValidationError("Valid requests must contain a LaunchTemplate.")
        target_groups = list(params.get("TargetGroupARNs", []))
        check_target_groups(self.settings, target_groups)
        subnets = subnets_of(params)
        created = f"a user request created an AutoScalingGroup changing the desired capacity from 0 to {desired}."
        return Group(
            name=name,
            arn=f"arn:aws:autoscaling:{self.settings.region}:{ACCOUNT}:autoScalingGroup:{uuid.uuid4()}"
            f":autoScalingGroupName/{name}",
            created=self.clock(),
            template=find_template(self.settings, params["LaunchTemplate"]),
            minimum=low,
            maximum=high,
            desired=desired,
            subnets=subnets,
            zones=find_zones(self.settings, subnets),
            target_groups=target_groups,
            tags={tag["Key"]: new_tag(tag) for tag in params.get("Tags", [])},
            hooks={
                hook["LifecycleHookName"]: new_hook(hook) for hook in params.get("LifecycleHookSpecificationList", [])
            },
            kept=kept_of(params),
            reason=self.because(created),
            **settings_of(params),
        )

    def update_auto_scaling_group(self) -> ActionResult:
        """UpdateAutoScalingGroup: in place; the instances that are there stay as they are."""
        params = self.params
        check_supported(params)
        changes = settings_of(params)
        if "LaunchTemplate" in params:
            changes["template"] = find_template(self.settings, params["LaunchTemplate"])
        if "VPCZoneIdentifier" in params:
            changes["subnets"] = subnets_of(params)
            changes["zones"] = find_zones(self.settings, changes["subnets"])
        with self.groups.lock:
            group = self.group_to_change()
            before = group.desired
            resize(group, *(params.get(name) for name in ("MinSize", "MaxSize", "DesiredCapacity")))
            for field, value in changes.items():
                setattr(group, field, value)
            group.kept |= kept_of(params)
            group.failures, group.retry_at = 0, None  # what made launches fail may have been mended
            if group.desired != before:
                group.reason = self.because(
                    f"a user request update of AutoScalingGroup constraints to min: {group.minimum}, "
                    f"max: {group.maximum}, desired: {group.desired} changing the desired capacity "
                    f"from {before} to {group.desired}."
                )
        return self.done()

    def set_desired_capacity(self) -> ActionResult:
        """SetDesiredCapacity. There are no cooldowns here, so HonorCooldown changes nothing."""
        group, desired = self.group_to_change(), int(self.params["DesiredCapacity"])
        if desired > group.maximum:
            bound = f"above max value {group.maximum}"
            raise ValidationError(f"New SetDesiredCapacity value {desired} is {bound} for the AutoScalingGroup.")
        if desired < group.minimum:
            bound = f"below min value {group.minimum}"
            raise ValidationError(f"New SetDesiredCapacity value {desired} is {bound} for the AutoScalingGroup.")
        if desired != group.desired:
            group.reason = self.because(
                "a user request explicitly set group desired capacity changing the desired capacity "
                f"from {group.desired} to {desired}."
            )
            group.desired = desired
        return self.done()

    def delete_auto_scaling_group(self) -> ActionResult:
        """DeleteAutoScalingGroup: gone when its last instance is; without ForceDelete it must have none."""
        group = self.groups.get(self.params["AutoScalingGroupName"])
        if group.members and not self.params.get("ForceDelete"):
            if all(member.state in LEAVING for member in group.members.values()):
                raise ScalingActivityInProgress(
                    "You cannot delete an AutoScalingGroup while there are scaling activities in progress "
                    "for that group."
                )
            raise ResourceInUse(
                "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) "
                "still in the group."
            )
        group.deleting = True
        group.minimum = group.desired = 0
        return self.done()

    def describe_auto_scaling_groups(self) -> ActionResult:
        """DescribeAutoScalingGroups, by names and by tags."""
        names = self.params.get("AutoScalingGroupNames", [])
        filters = self.params.get("Filters", [])
        found = [
            group
            for group in self.groups.all()
            if (not names or group.name in names) and all(_has_tag(group, wanted) for wanted in filters)
        ]
        page, token = self.page(found)
        return ActionResult({"AutoScalingGroups": [group_view(group) for group in page], **token})

    def describe_scaling_activities(self) -> ActionResult:
        """DescribeScalingActivities: newest first."""
        name, ids = self.params.get("AutoScalingGroupName"), self.params.get("ActivityIds", [])
        groups = [self.groups.get(name)] if name else self.groups.all()
        found = [
            (group, activity) for group in groups for activity in group.activities if not ids or activity.id in ids
        ]
        found.sort(key=lambda pair: pair[1].started, reverse=True)
        page, token = self.page(found, size=100)
        return ActionResult({"Activities": [activity_view(*pair) for pair in page], **token})


def _has_tag(group: Group, wanted: dict[str, Any]) -> bool:
    """Whether the group passes one filter: tag:KEY, tag-key or tag-value."""
    name, values = wanted["Name"], set(wanted.get("Values", []))
    if name.startswith("tag:"):
        tag = group.tags.get(name.removeprefix("tag:"))
        return tag is not None and tag.value in values
    if name == "tag-key":
        return not values.isdisjoint(group.tags)
    if name == "tag-value":
        return not values.isdisjoint(tag.value for tag in group.tags.values())
    raise ValidationError(f"Invalid filter: {name}; use tag:KEY, tag-key or tag-value")
