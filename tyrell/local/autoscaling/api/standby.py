"""Take instances out of service for a while, and back.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-enter-exit-standby.html
"""

from __future__ import annotations

from moto.core.responses import ActionResult

from tyrell.local.autoscaling.api.base import Operations
from tyrell.local.autoscaling.api.instances import check_may_shrink
from tyrell.local.autoscaling.api.present import activity_view
from tyrell.local.autoscaling.errors import ValidationError
from tyrell.local.autoscaling.records import Activity, Group, Member
from tyrell.local.autoscaling.states import State


class StandbyOperations(Operations):
    """EnterStandby and ExitStandby."""

    def enter_standby(self) -> ActionResult:
        """EnterStandby: out of the target groups, not health-checked; replaced unless the capacity is lowered too."""
        group = self.group_to_change()
        members = self._members(group, State.IN_SERVICE)
        if self.params.get("ShouldDecrementDesiredCapacity"):
            check_may_shrink(group, len(members))
            group.desired -= len(members)
        for member in members:
            member.state = State.ENTERING_STANDBY
            member.wanted_targets = set()
            self._begin(group, member, "Moving EC2 instance to Standby", "was moved to standby")
        return self.done(Activities=[activity_view(group, member.activity) for member in members])

    def exit_standby(self) -> ActionResult:
        """ExitStandby: back through Pending into service, with more desired capacity."""
        group = self.group_to_change()
        members = self._members(group, State.STANDBY)
        if group.desired + len(members) > group.maximum:
            raise ValidationError(
                f"The group {group.name} cannot take {len(members)} instance(s) back: its desired capacity "
                f"{group.desired} would exceed its max size {group.maximum}."
            )
        group.desired += len(members)
        for member in members:
            member.state = State.PENDING
            self._begin(group, member, "Moving EC2 instance out of Standby", "was moved out of standby")
        return self.done(Activities=[activity_view(group, member.activity) for member in members])

    def _members(self, group: Group, state: State) -> list[Member]:
        """The instances of the request, all in that state."""
        members = [group.member(instance_id) for instance_id in self.params.get("InstanceIds", [])]
        for member in members:
            if member.state is not state:
                raise ValidationError(f"The instance {member.instance_id} is not in {state}.")
        return members

    def _begin(self, group: Group, member: Member, description: str, what: str) -> None:
        cause = self.because(f"instance {member.instance_id} {what} in response to a user request.")
        member.activity = Activity(f"{description}: {member.instance_id}", cause, self.clock())
        group.activities.appendleft(member.activity)
