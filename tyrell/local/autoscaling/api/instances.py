"""Describe, mark, protect and terminate single instances."""

from __future__ import annotations

from moto.core.responses import ActionResult

from tyrell.local.autoscaling.act import take_out
from tyrell.local.autoscaling.actions import TakeOut
from tyrell.local.autoscaling.api.base import Operations
from tyrell.local.autoscaling.api.present import activity_view, instance_details_view
from tyrell.local.autoscaling.errors import ScalingActivityInProgress, ValidationError
from tyrell.local.autoscaling.observed import in_grace_period
from tyrell.local.autoscaling.records import Group
from tyrell.local.autoscaling.states import LEAVING, State


class InstanceOperations(Operations):
    """The operations on instances of groups."""

    def describe_auto_scaling_instances(self) -> ActionResult:
        """DescribeAutoScalingInstances, of all groups or by instance ids."""
        wanted = self.params.get("InstanceIds", [])
        found = [
            (group, member)
            for group in self.groups.all()
            for member in group.members.values()
            if not wanted or member.instance_id in wanted
        ]
        page, token = self.page(found)
        return ActionResult({"AutoScalingInstances": [instance_details_view(*pair) for pair in page], **token})

    def set_instance_health(self) -> ActionResult:
        """SetInstanceHealth; within the grace period it does nothing, unless ShouldRespectGracePeriod is false."""
        group, member = self.groups.holding(self.params["InstanceId"])
        status = self.params["HealthStatus"]
        if status not in ("Healthy", "Unhealthy"):
            raise ValidationError("Valid instance health states are: [Healthy, Unhealthy].")
        respects = self.params.get("ShouldRespectGracePeriod", True)
        if not (respects and in_grace_period(group, member, self.clock())):
            member.healthy = status == "Healthy"
            member.sickness = "" if member.healthy else "a user health-check"
        return self.done()

    def set_instance_protection(self) -> ActionResult:
        """SetInstanceProtection: from scale-in only."""
        group = self.group_to_change()
        members = [group.member(instance_id) for instance_id in self.params["InstanceIds"]]
        for member in members:
            member.protected = bool(self.params["ProtectedFromScaleIn"])
        return self.done()

    def terminate_instance_in_auto_scaling_group(self) -> ActionResult:
        """TerminateInstanceInAutoScalingGroup, and let it be replaced or the group become smaller."""
        group, member = self.groups.holding(self.params["InstanceId"])
        if member.state in LEAVING:
            raise ScalingActivityInProgress(f"The instance {member.instance_id} is already {member.state}.")
        why = f"instance {member.instance_id} was taken out of service in response to a user request"
        if self.params.get("ShouldDecrementDesiredCapacity") and member.state is not State.STANDBY:
            check_may_shrink(group, 1)
            why += f", shrinking the capacity from {group.desired} to {group.desired - 1}"
            group.desired -= 1
        take_out(group, member, TakeOut(member.instance_id, self.because(f"{why}.")), self.clock())
        return self.done(Activity=activity_view(group, member.activity))


def check_may_shrink(group: Group, by: int) -> None:
    """ValidationError when the desired capacity cannot be lowered by so many."""
    if group.desired - by < group.minimum:
        raise ValidationError(
            f"Currently, desiredSize equals {group.desired} and minSize equals {group.minimum}. "
            f"Removing {by} instance(s) without replacement will violate group's min size constraint. "
            "Either set shouldDecrementDesiredCapacity flag to false or lower group's min size."
        )
