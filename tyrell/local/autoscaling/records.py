"""What the service remembers: groups, their instances, activities, lifecycle hooks and scheduled actions."""

from __future__ import annotations

import uuid
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from tyrell.local.autoscaling.errors import instance_not_found
from tyrell.local.autoscaling.states import State

Transition = Literal["autoscaling:EC2_INSTANCE_LAUNCHING", "autoscaling:EC2_INSTANCE_TERMINATING"]
LAUNCHING: Transition = "autoscaling:EC2_INSTANCE_LAUNCHING"
TERMINATING: Transition = "autoscaling:EC2_INSTANCE_TERMINATING"
Result = Literal["CONTINUE", "ABANDON"]


@dataclass(frozen=True)
class Template:
    """Which launch template a group launches from; `version` is a number, `$Latest` or `$Default`."""

    id: str
    name: str
    version: str


@dataclass
class Activity:
    """One scaling activity, as DescribeScalingActivities shows it."""

    description: str
    cause: str
    started: datetime
    status: str = "InProgress"
    message: str = ""
    progress: int = 50
    ended: datetime | None = None
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def end(self, now: datetime, status: str = "Successful", message: str = "") -> None:
        """Close the activity; `message` says why it did not succeed."""
        self.status, self.message, self.progress, self.ended = status, message, 100, now


@dataclass
class Hook:
    """A lifecycle hook. `heartbeat` is in seconds."""

    name: str
    transition: Transition
    heartbeat: int = 3600
    default: Result = "ABANDON"
    notification: dict[str, str] = field(default_factory=dict)


@dataclass
class Hold:
    """One hook's hold on one instance; it ends with a result, or with the hook's default result at `until`."""

    hook: Hook
    until: datetime
    last: datetime
    """No heartbeat moves `until` beyond this."""
    result: Result | None = None
    token: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass
class Member:
    """An instance in a group."""

    instance_id: str
    subnet: str
    zone: str
    instance_type: str
    image: str
    template: Template
    launched: datetime
    activity: Activity
    """Its own activity of the moment: the launch, and later the termination."""
    state: State = State.PENDING
    healthy: bool = True
    sickness: str = ""
    """What made it unhealthy, as the end of the sentence 'taken out of service in response to ...'."""
    protected: bool = False
    in_service_since: datetime | None = None
    wanted_targets: set[str] = field(default_factory=set)
    """ARNs of the target groups it belongs into; `registered` are those it is in."""
    registered: set[str] = field(default_factory=set)
    draining: set[str] = field(default_factory=set)
    drained_by: datetime | None = None
    holds: dict[str, Hold] = field(default_factory=dict)
    termination_asked: bool = False


@dataclass
class ScheduledAction:
    """A change of the group's size at a time. Source: PutScheduledUpdateGroupAction in the API reference."""

    name: str
    next_run: datetime | None = None
    recurrence: str | None = None
    timezone: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    minimum: int | None = None
    maximum: int | None = None
    desired: int | None = None


@dataclass(frozen=True)
class Tag:
    """A tag of a group; a propagated one is also put on the instances it launches."""

    key: str
    value: str
    propagate: bool


@dataclass
class Group:
    """An Auto Scaling group. `reason` tells why its capacity was last changed, for the causes of its activities."""

    name: str
    arn: str
    created: datetime
    template: Template
    minimum: int
    maximum: int
    desired: int
    subnets: tuple[str, ...]
    zones: tuple[str, ...]
    target_groups: list[str] = field(default_factory=list)
    health_check: Literal["EC2", "ELB"] = "EC2"
    grace_seconds: int = 0
    cooldown_seconds: int = 300
    termination_policies: tuple[str, ...] = ("Default",)
    protect_new: bool = False
    kept: dict[str, object] = field(default_factory=dict)
    """Settings that are stored and shown, and have no effect here, by their AWS names."""
    tags: dict[str, Tag] = field(default_factory=dict)
    suspended: dict[str, str] = field(default_factory=dict)
    metrics: set[str] = field(default_factory=set)
    hooks: dict[str, Hook] = field(default_factory=dict)
    schedule: dict[str, ScheduledAction] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    activities: deque[Activity] = field(default_factory=lambda: deque(maxlen=500))
    reason: str = ""
    failures: int = 0
    retry_at: datetime | None = None
    deleting: bool = False

    def member(self, instance_id: str) -> Member:
        """The instance of that id; ValidationError when it is not in this group."""
        if instance_id not in self.members:
            raise instance_not_found(instance_id)
        return self.members[instance_id]

    def hooks_for(self, transition: Transition) -> list[Hook]:
        """The group's lifecycle hooks for that transition."""
        return [hook for hook in self.hooks.values() if hook.transition == transition]

    def allows(self, process: str) -> bool:
        """Whether that process is not suspended."""
        return process not in self.suspended
