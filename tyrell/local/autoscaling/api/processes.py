"""Suspend and resume the processes of a group, and its metrics collection.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-suspend-resume-processes.html
"""

from __future__ import annotations

from moto.core.responses import ActionResult

from tyrell.local.autoscaling.api.base import Operations
from tyrell.local.autoscaling.errors import ValidationError

PROCESSES = (
    "AddToLoadBalancer",
    "AlarmNotification",
    "AZRebalance",
    "HealthCheck",
    "InstanceRefresh",
    "Launch",
    "ReplaceUnhealthy",
    "ScheduledActions",
    "Terminate",
)
METRICS = (
    "GroupDesiredCapacity",
    "GroupInServiceInstances",
    "GroupMaxSize",
    "GroupMinSize",
    "GroupPendingInstances",
    "GroupStandbyInstances",
    "GroupTerminatingInstances",
    "GroupTotalInstances",
)


class ProcessOperations(Operations):
    """The operations on what a group does by itself."""

    def suspend_processes(self) -> ActionResult:
        """SuspendProcesses: those named, or all."""
        group = self.group_to_change()
        for process in self._processes():
            group.suspended.setdefault(process, f"User suspended at {self.clock():%Y-%m-%dT%H:%M:%SZ}")
        return self.done()

    def resume_processes(self) -> ActionResult:
        """ResumeProcesses: those named, or all."""
        group = self.group_to_change()
        for process in self._processes():
            group.suspended.pop(process, None)
        return self.done()

    def _processes(self) -> list[str]:
        processes = self.params.get("ScalingProcesses") or list(PROCESSES)
        if unknown := sorted(set(processes) - set(PROCESSES)):
            raise ValidationError(f"Unknown scaling processes: {', '.join(unknown)}; there are {', '.join(PROCESSES)}")
        return list(processes)

    def enable_metrics_collection(self) -> ActionResult:
        """EnableMetricsCollection: stored; nothing collects them here."""
        group = self.group_to_change()
        group.metrics |= set(self.params.get("Metrics") or METRICS)
        return ActionResult({})

    def disable_metrics_collection(self) -> ActionResult:
        """DisableMetricsCollection: those named, or all."""
        group = self.group_to_change()
        group.metrics -= set(self.params.get("Metrics") or METRICS)
        return ActionResult({})
