"""CloudFormation: find a stack, wait for it, delete it, and explain what failed; `tasks.applying` makes one."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from prefect import runtime
from pydantic import Field

from tasks.clients import cloudformation
from tasks.crowd import shared
from tasks.errors import StackFailed, UsageError
from tasks.model import Changes, Noun, Patience
from tasks.stack_statuses import statuses
from tasks.steps import step
from tasks.waits import NotYet, is_one_of_many, wait_until

if TYPE_CHECKING:
    from types_boto3_cloudformation.type_defs import StackEventTypeDef, StackTypeDef

logger = logging.getLogger(__name__)

PATIENCE = Patience(timeout=timedelta(minutes=30), every=timedelta(seconds=0.25))
_BEGINNINGS = {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS"}


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


class Blueprint(Noun):
    """A CloudFormation stack as it is to be."""

    name: str
    template: str
    parameters: dict[str, str] = Field(default_factory=dict)
    tags: dict[str, str]
    """By which it is found; they are given to it when it is made. `tyrell:kind` is network, base or version."""

    @property
    def kind(self) -> str:
        """See `check_ours`."""
        return self.tags["tyrell:kind"]

    @property
    def request(self) -> dict[str, Any]:
        """What CloudFormation's calls take of it."""
        return {
            "TemplateBody": self.template,
            "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in self.parameters.items()],
            "Capabilities": ["CAPABILITY_IAM"],
        }


def find_stack(name_or_id: str) -> CfnStack | None:
    """The stack, or None. A deleted stack still answers to its id, not to its name."""
    if is_one_of_many():
        for stack in _all_stacks():
            if name_or_id in {stack.name, stack.id}:
                return stack
    try:
        described = cloudformation().describe_stacks(StackName=name_or_id)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    return _cfn_stack(described)


@shared
def _all_stacks() -> tuple[CfnStack, ...]:
    """All but the deleted ones: one question for all waits."""
    pages = cloudformation().get_paginator("describe_stacks").paginate()
    return tuple(_cfn_stack(stack) for page in pages for stack in page["Stacks"])


def _cfn_stack(described: StackTypeDef) -> CfnStack:
    return CfnStack(
        name=described["StackName"],
        id=described.get("StackId", ""),
        status=described["StackStatus"],
        reason=described.get("StackStatusReason", ""),
        outputs={output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])},
        parameters={each["ParameterKey"]: each.get("ParameterValue", "") for each in described.get("Parameters", [])},
        tags={tag["Key"]: tag["Value"] for tag in described.get("Tags", [])},
    )


def check_ours(name: str, kind: str) -> CfnStack | None:
    """The stack, or None; raises UsageError when a stack of that name is something else than our `kind` of stack."""
    found = find_stack(name)
    if found and found.tags.get("tyrell:kind") != kind:
        raise UsageError(f"stack name {name} is taken by a stack that is no {kind} of Tyrell's; choose another")
    return found


def find_tagged(tags: Mapping[str, str]) -> tuple[CfnStack, ...]:
    """All stacks that carry `tags`, those in deletion included."""
    pages = cloudformation().get_paginator("describe_stacks").paginate()
    found = (_cfn_stack(stack) for page in pages for stack in page["Stacks"])
    return tuple(stack for stack in found if tags.items() <= stack.tags.items())


def find_stacks(tags: Mapping[str, str]) -> tuple[str, ...]:
    """The names of all stacks that carry `tags`, those in deletion included."""
    return tuple(stack.name for stack in find_tagged(tags))


def stack_failed(stack: CfnStack, then: str = "") -> StackFailed:
    """The error that says why the stack's last operation failed, and `then` what a person can do.

    The reasons are what CloudFormation itself says, oldest first; what was only cancelled because of one is left out.
    Without a resource that failed, it is what the stack says.
    """
    resources: list[str] = []
    own = [stack.reason]
    for event in _events(stack):
        status, reason = event["ResourceStatus"], event.get("ResourceStatusReason", "")
        if event.get("PhysicalResourceId") == stack.id:
            if status in _BEGINNINGS:
                break  # what is older belongs to an earlier operation
            own.append(reason)
        elif status.endswith("_FAILED") and "cancelled" not in reason:
            resources.append(f"{event['LogicalResourceId']}: {reason or 'no reason given'}")
    reasons = resources or [reason for reason in own if reason]
    return StackFailed(stack.name, stack.status, (*dict.fromkeys(reversed(reasons)), *filter(None, [then])))


def _events(stack: CfnStack) -> Iterator[StackEventTypeDef]:
    """The newest first."""
    for page in cloudformation().get_paginator("describe_stack_events").paginate(StackName=stack.id):
        yield from page["StackEvents"]


def _progress(stack: CfnStack) -> NotYet:
    if is_one_of_many():  # each stack's resources would be a question of its own
        return NotYet(stack.status)
    resources = cloudformation().describe_stack_resources(StackName=stack.id)["StackResources"]
    moving = [each["LogicalResourceId"] for each in resources if each["ResourceStatus"].endswith("_IN_PROGRESS")]
    done = len(resources) - len(moving)
    return NotYet(f"{stack.status}, {done} of {len(resources)} resources settled; at work on {', '.join(moving[:3])}")


def find_at_rest(blueprint: Blueprint) -> CfnStack | None:
    """The stack of that name, once what an earlier run began is over; None also when that was its deletion.

    Raises UsageError when it is no such stack.
    """
    found = check_ours(blueprint.name, blueprint.kind)
    if found and found.moving:
        found = await_settled(found.id, found.name)
    return None if found is None or statuses().action(found.status) == "create" else found


def await_settled(stack_id: str, name: str) -> CfnStack:
    """The stack, once CloudFormation is not at work on it any more."""

    def look() -> CfnStack | NotYet:
        stack = find_stack(stack_id)
        if stack is None:  # read after create may come too early
            return NotYet("CloudFormation does not know it yet")
        return _progress(stack) if stack.moving else stack

    return wait_until(f"stack {name}", look, PATIENCE)


def token(action: str) -> str:
    """A call that a retry of the same step repeats is the same call to CloudFormation."""
    return f"{action}-{runtime.task_run.id or uuid.uuid4()}"


@step("delete stack {name}", system="cloudformation")
def delete_stack(name: str) -> Changes:
    """Delete the stack and wait until it is gone. Raises StackFailed when CloudFormation cannot."""
    found = find_stack(name)
    if found is None:
        logger.info("stack %s does not exist: nothing to delete", name)
        return ()
    cloudformation().delete_stack(StackName=found.id, ClientRequestToken=token("delete"))
    stack = await_settled(found.id, name)
    if stack.status != "DELETE_COMPLETE":
        raise stack_failed(stack)
    return (f"deleted stack {name}",)
