"""CloudFormation: find, create or update in place, delete, and explain what failed."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from botocore.exceptions import ClientError
from prefect import runtime

from tasks.cfn_stacks import CfnStack, failure, progress
from tasks.clients import cloudformation
from tasks.errors import UsageError
from tasks.model import Changes, Noun, Patience
from tasks.stack_statuses import statuses
from tasks.steps import step
from tasks.waits import NotYet, wait_until

logger = logging.getLogger(__name__)

PATIENCE = Patience(timeout=timedelta(minutes=30), every=timedelta(seconds=0.25))
_BASE_STAYS = "a base stack is never deleted by itself: `tyrell down` deletes it"


class Applied(Noun):
    """What became of a stack that was asked for."""

    outputs: dict[str, str]
    changes: Changes


def find_stack(name_or_id: str) -> CfnStack | None:
    """The stack, or None. A deleted stack still answers to its id, not to its name."""
    try:
        described = cloudformation().describe_stacks(StackName=name_or_id)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
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


def find_stacks(tags: Mapping[str, str]) -> tuple[str, ...]:
    """The names of all stacks that carry `tags`, those in deletion included."""
    pages = cloudformation().get_paginator("describe_stacks").paginate()
    return tuple(
        stack["StackName"]
        for page in pages
        for stack in page["Stacks"]
        if tags.items() <= {tag["Key"]: tag["Value"] for tag in stack.get("Tags", [])}.items()
    )


def _await_settled(stack_id: str, name: str) -> CfnStack:
    def look() -> CfnStack | NotYet:
        stack = find_stack(stack_id)
        if stack is None:  # read after create may come too early
            return NotYet("CloudFormation does not know it yet")
        return NotYet(progress(stack)) if stack.moving else stack

    return wait_until(f"stack {name}", look, PATIENCE)


def _token(action: str) -> str:
    """A call that a retry of the same step repeats is the same call to CloudFormation."""
    return f"{action}-{runtime.task_run.id or uuid.uuid4()}"


@step("apply stack {name}", system="cloudformation")
def apply_stack(name: str, template: str, parameters: Mapping[str, str], tags: Mapping[str, str]) -> Applied:
    """Make the stack be what `template` and `parameters` say: created, updated in place, or left alone.

    What is done with one that is there says `stack_statuses.toml`. Raises StackFailed with the failed resources' own
    reasons; a stack that could not be created is removed again, unless it is a base stack.
    """
    found = _usable(check_ours(name, tags["tyrell:kind"]))
    wanted: dict[str, Any] = {
        "StackName": name,
        "TemplateBody": template,
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        "Capabilities": ["CAPABILITY_IAM"],
        "ClientRequestToken": _token("apply"),
    }
    if found is None:
        return _create(name, wanted, tags)
    return _update(found, wanted)


def _usable(found: CfnStack | None) -> CfnStack | None:
    """The stack once it can be updated; None when there is none, or none any more."""
    if found and found.moving:
        found = _await_settled(found.id, found.name)
    if found is None:
        return None
    match statuses().action(found.status):
        case "refuse":
            raise failure(found, statuses().refuse.get(found.status, "no run can mend that"))
        case "remake":
            _remove(found)
            return None
        case "create":
            return None
    return found


def _remove(stack: CfnStack) -> None:
    """Delete a stack that does not work. Raises StackFailed for a base stack."""
    if stack.is_base:
        raise failure(stack, _BASE_STAYS)
    logger.info("deleting what does not work: %s", failure(stack))
    delete_stack.fn(stack.name)


def _create(name: str, wanted: dict[str, Any], tags: Mapping[str, str]) -> Applied:
    labels = {**tags, "tyrell:run": str(runtime.flow_run.root_flow_run_id or "none")}
    try:
        made = cloudformation().create_stack(
            **wanted,
            Tags=[{"Key": key, "Value": value} for key, value in labels.items()],
        )
    except cloudformation().exceptions.AlreadyExistsException:
        logger.info("stack %s is being created by somebody else: adopting it", name)
        check_ours(name, tags["tyrell:kind"])
        stack = _await_settled(name, name)
        if statuses().action(stack.status) != "update":
            raise failure(stack) from None
        return Applied(outputs=stack.outputs, changes=())
    stack = _await_settled(made["StackId"], name)
    if stack.status != "CREATE_COMPLETE":
        failed = failure(stack)
        _remove(stack)
        raise failed
    return Applied(outputs=stack.outputs, changes=(f"created stack {name}",))


def _update(found: CfnStack, wanted: dict[str, Any]) -> Applied:
    try:
        cloudformation().update_stack(**wanted)
    except ClientError as error:
        if "No updates are to be performed" not in str(error):
            raise
        logger.info("stack %s is as wanted: nothing to do", found.name)
        return Applied(outputs=found.outputs, changes=())
    stack = _await_settled(found.id, found.name)
    if stack.status != "UPDATE_COMPLETE":
        raise failure(stack)
    return Applied(outputs=stack.outputs, changes=(f"updated stack {found.name}",))


@step("delete stack {name}", system="cloudformation")
def delete_stack(name: str) -> Changes:
    """Delete the stack and wait until it is gone. Raises StackFailed when CloudFormation cannot."""
    found = find_stack(name)
    if found is None:
        logger.info("stack %s does not exist: nothing to delete", name)
        return ()
    cloudformation().delete_stack(StackName=found.id, ClientRequestToken=_token("delete"))
    stack = _await_settled(found.id, name)
    if stack.status != "DELETE_COMPLETE":
        raise failure(stack)
    return (f"deleted stack {name}",)
