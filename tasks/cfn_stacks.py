"""A CloudFormation stack as it is now, and CloudFormation's own words on what it does and what went wrong."""

from __future__ import annotations

from tasks.clients import cloudformation
from tasks.errors import StackFailed
from tasks.model import Noun
from tasks.stack_statuses import statuses


class CfnStack(Noun):
    """A CloudFormation stack as it is now."""

    name: str
    id: str
    status: str
    reason: str
    outputs: dict[str, str]
    parameters: dict[str, str]
    tags: dict[str, str]

    @property
    def moving(self) -> bool:
        """Whether CloudFormation is still at work on it."""
        return statuses().action(self.status) == "wait"

    @property
    def is_base(self) -> bool:
        """Whether it holds what outlives releases."""
        return self.tags.get("tyrell:kind") == "base"


def _failed_events(stack: CfnStack) -> tuple[str, ...]:
    """What CloudFormation itself says went wrong, oldest first; what was only cancelled because of it is left out."""
    pages = cloudformation().get_paginator("describe_stack_events").paginate(StackName=stack.id)
    failed = [
        f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', 'no reason given')}"
        for page in pages
        for event in page["StackEvents"]
        if event.get("ResourceStatus", "").endswith("_FAILED")
        and "cancelled" not in event.get("ResourceStatusReason", "")
        and event.get("PhysicalResourceId") != stack.id
    ]
    return tuple(dict.fromkeys(reversed(failed)))


def progress(stack: CfnStack) -> str:
    """How far CloudFormation is with it, for people."""
    resources = cloudformation().describe_stack_resources(StackName=stack.id)["StackResources"]
    moving = [each["LogicalResourceId"] for each in resources if each["ResourceStatus"].endswith("_IN_PROGRESS")]
    done = len(resources) - len(moving)
    return f"{stack.status}, {done} of {len(resources)} resources settled; at work on {', '.join(moving[:3])}"


def failure(stack: CfnStack, then: str = "") -> StackFailed:
    """The error that says what failed in it, and `then` what a person can do."""
    reasons = _failed_events(stack) or tuple(filter(None, [stack.reason]))
    return StackFailed(stack.name, stack.status, (*reasons, *filter(None, [then])))
