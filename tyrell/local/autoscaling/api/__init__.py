"""The operations of Amazon EC2 Auto Scaling, as moto's server dispatches them: one method per operation.

https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_Operations.html
An operation that has no method is answered with the error UnknownOperation.
"""

from tyrell.local.autoscaling.api.groups import GroupOperations
from tyrell.local.autoscaling.api.hooks import HookOperations
from tyrell.local.autoscaling.api.instances import InstanceOperations
from tyrell.local.autoscaling.api.processes import ProcessOperations
from tyrell.local.autoscaling.api.schedule import ScheduleOperations
from tyrell.local.autoscaling.api.standby import StandbyOperations
from tyrell.local.autoscaling.api.tags import TagOperations
from tyrell.local.autoscaling.api.targets import TargetOperations

__all__ = ["AutoScalingApi"]


class AutoScalingApi(
    GroupOperations,
    InstanceOperations,
    StandbyOperations,
    TargetOperations,
    ProcessOperations,
    ScheduleOperations,
    HookOperations,
    TagOperations,
):
    """All operations; one object per request."""
