"""Attach load balancer target groups to a living group, and detach them."""

from __future__ import annotations

from moto.core.responses import ActionResult

from tyrell.local.autoscaling.api.base import Operations
from tyrell.local.autoscaling.errors import ValidationError
from tyrell.local.autoscaling.lookups import check_target_groups
from tyrell.local.autoscaling.records import Group, Member
from tyrell.local.autoscaling.states import State


class TargetOperations(Operations):
    """The operations on a group's target groups."""

    def attach_load_balancer_target_groups(self) -> ActionResult:
        """AttachLoadBalancerTargetGroups: the instances in service are registered too."""
        arns = self.params["TargetGroupARNs"]
        check_target_groups(self.settings, arns)
        with self.groups.lock:
            group = self.group_to_change()
            group.target_groups += [arn for arn in dict.fromkeys(arns) if arn not in group.target_groups]
            for member in _in_service(group):
                if group.allows("AddToLoadBalancer"):
                    member.wanted_targets.update(arns)
        return self.done()

    def detach_load_balancer_target_groups(self) -> ActionResult:
        """DetachLoadBalancerTargetGroups: the group's instances are deregistered, and drained there."""
        group, arns = self.group_to_change(), self.params["TargetGroupARNs"]
        if unknown := [arn for arn in arns if arn not in group.target_groups]:
            raise ValidationError(f"Target groups are not attached to {group.name}: {', '.join(unknown)}")
        group.target_groups = [arn for arn in group.target_groups if arn not in arns]
        for member in _in_service(group):
            member.wanted_targets.difference_update(arns)
        return self.done()

    def describe_load_balancer_target_groups(self) -> ActionResult:
        """DescribeLoadBalancerTargetGroups: Adding, then Added when every instance in service is registered."""
        group = self.groups.get(self.params["AutoScalingGroupName"])
        page, token = self.page(group.target_groups, size=100)
        states = [{"LoadBalancerTargetGroupARN": arn, "State": _state(group, arn)} for arn in page]
        return ActionResult({"LoadBalancerTargetGroups": states, **token})


def _in_service(group: Group) -> list[Member]:
    return [member for member in group.members.values() if member.state is State.IN_SERVICE]


def _state(group: Group, arn: str) -> str:
    waiting = any(arn in member.wanted_targets - member.registered for member in _in_service(group))
    return "Adding" if waiting else "Added"
