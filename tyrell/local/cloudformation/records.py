"""The records of a stack: its resources, events and outputs, and the revision they come from."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from tyrell.local.cloudformation.template import Template

STACK_TYPE = "AWS::CloudFormation::Stack"

RETAINED = {"Retain", "RetainExceptOnCreate"}
"""Policies by which a resource is left behind when its stack has no use for it any more."""

Tag = Mapping[str, str]
"""`{"Key": ..., "Value": ...}`, as the API has it."""


def now() -> datetime:
    """The present moment, as all records have it."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Revision:
    """What a stack is asked to be: a template with its parameters, and the tags of the stack.

    `given` holds the parameters as the caller gave them, `parameters` the checked values of all.
    """

    template: Template
    given: Mapping[str, str]
    parameters: Mapping[str, Any]
    tags: tuple[Tag, ...] = ()
    capabilities: tuple[str, ...] = ()


@dataclass(frozen=True)
class Resource:
    """One resource of a stack as it is, or (without a physical id) as it shall be.

    `properties` are resolved and complete: with the generated name, if `generated_name`, and with all tags.
    """

    logical_id: str
    type: str
    properties: Mapping[str, Any] = field(default_factory=dict)
    dependencies: frozenset[str] = frozenset()
    deletion_policy: str = "Delete"
    update_replace_policy: str = "Delete"
    generated_name: bool = False
    physical_id: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    status: str = ""
    reason: str | None = None
    changed: datetime = field(default_factory=now)


@dataclass(frozen=True)
class Output:
    """One output of a stack; `export` is the name under which other stacks import it."""

    key: str
    value: str
    description: str | None = None
    export: str | None = None


@dataclass
class Stack:
    """One stack. `on_failure` is ROLLBACK, DELETE or DO_NOTHING; `imports` are names of exports it uses."""

    id: str
    name: str
    revision: Revision | None = None
    on_failure: str = "ROLLBACK"
    client_token: str | None = None
    timeout_minutes: int | None = None
    protected: bool = False
    status: str = ""
    reason: str | None = None
    created: datetime = field(default_factory=now)
    updated: datetime | None = None
    deleted: datetime | None = None
    events: list[dict[str, Any]] = field(default_factory=list)
    resources: dict[str, Resource] = field(default_factory=dict)
    outputs: tuple[Output, ...] = ()
    imports: frozenset[str] = frozenset()

    @property
    def busy(self) -> bool:
        """Whether an operation runs on it. A stack under review only has a change set, nothing runs."""
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"

    @property
    def exists(self) -> bool:
        """Whether it answers to its name."""
        return self.status != "DELETE_COMPLETE"

    def living(self) -> dict[str, Resource]:
        """Its resources that exist in AWS, by logical id."""
        gone = ("DELETE_COMPLETE", "DELETE_SKIPPED")
        return {
            name: resource
            for name, resource in list(self.resources.items())
            if resource.physical_id and resource.status not in gone
        }

    def enter(self, status: str, reason: str | None = None) -> None:
        """The stack itself changes its status."""
        self.events.append(self._event(self.name, STACK_TYPE, self.id, status, reason))
        if status == "DELETE_COMPLETE":
            self.deleted = now()
        self.reason = reason
        self.status = status  # last: whoever sees the new status sees all that comes with it

    def record(self, resource: Resource, status: str, reason: str | None = None, **facts: Any) -> Resource:
        """One of its resources changes its status, and with it the other `facts`; answers the new record."""
        resource = replace(resource, status=status, reason=reason, changed=now(), **facts)
        self.resources[resource.logical_id] = resource
        self.tell(resource, status, reason)
        return resource

    def tell(self, resource: Resource, status: str, reason: str | None = None) -> None:
        """Only the event: for a resource that another one has taken the place of."""
        self.events.append(self._event(resource.logical_id, resource.type, resource.physical_id, status, reason))

    def _event(self, logical_id: str, kind: str, physical_id: str, status: str, reason: str | None) -> dict[str, Any]:
        event = {
            "StackId": self.id,
            "StackName": self.name,
            "EventId": f"{logical_id}-{status}-{uuid.uuid4()}",
            "LogicalResourceId": logical_id,
            "PhysicalResourceId": physical_id,
            "ResourceType": kind,
            "ResourceStatus": status,
            "Timestamp": now(),
        }
        return event | ({"ResourceStatusReason": reason} if reason else {})


@dataclass(frozen=True)
class PropertyChange:
    """A property that changes; `dynamic` when its new value is known only once another resource has changed."""

    name: str
    dynamic: bool
    replaces: bool


@dataclass(frozen=True)
class Change:
    """One resource's change: `action` is Add, Modify or Remove, `replacement` True, False, Conditional or None.

    `policy_action` says what becomes of a resource that is removed or certainly replaced.
    """

    action: str
    logical_id: str
    type: str
    physical_id: str = ""
    replacement: str | None = None
    policy_action: str | None = None
    properties: tuple[PropertyChange, ...] = ()


@dataclass
class ChangeSet:
    """What an update (or a creation) would change. `status` is CREATE_COMPLETE or FAILED."""

    id: str
    name: str
    kind: str
    stack: Stack
    revision: Revision
    changes: tuple[Change, ...]
    status: str
    execution_status: str
    description: str | None = None
    reason: str | None = None
    made_by: str | None = None
    """The token of the call that created it."""
    client_token: str | None = None
    """That of the call that executed it."""
    created: datetime = field(default_factory=now)
