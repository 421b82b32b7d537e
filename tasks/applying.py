"""A CloudFormation stack as it is to be: created, updated in place, or left alone."""

from __future__ import annotations

import logging

from prefect import runtime

from tasks.change_sets import check_keeps, delete_change_set, execute_change_set, make_change_set
from tasks.clients import cloudformation
from tasks.errors import WouldLose
from tasks.model import Changes
from tasks.stacks import Blueprint, CfnStack, await_settled, check_ours, delete_stack, find_at_rest, stack_failed, token
from tasks.steps import step

logger = logging.getLogger(__name__)

INSTEAD = "`tyrell stack update` shows it all, and does it when each is named with --allow-replace"
NEVER_WORKED = {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "REVIEW_IN_PROGRESS", "DELETE_FAILED"}
"""Or will not any more: CloudFormation can only delete a stack in these states."""


@step("apply stack {blueprint.name}", system="cloudformation")
def apply_stack(blueprint: Blueprint, instead: str = INSTEAD) -> Changes:
    """Make the stack be what the blueprint says: created, updated in place, or left alone.

    A stack that an earlier run left unfinished is waited for; one that never worked is deleted and made again.
    Raises StackFailed with the failed resources' own reasons; a stack that could not be created is removed again.
    Raises WouldLose, which says what to do `instead`, when the update would replace or remove something.
    """
    found = find_at_rest(blueprint)
    if found and found.status in NEVER_WORKED:
        logger.info("stack %s is %s and never worked: deleting it first", found.name, found.status)
        delete_stack.fn(found.name)
        found = None
    return _create(blueprint) if found is None else _update(found, blueprint, instead)


def _create(blueprint: Blueprint) -> Changes:
    name = blueprint.name
    labels = {**blueprint.tags, "tyrell:run": str(runtime.flow_run.root_flow_run_id or "none")}
    try:
        made = cloudformation().create_stack(
            StackName=name,
            ClientRequestToken=token("apply"),
            Tags=[{"Key": key, "Value": value} for key, value in labels.items()],
            **blueprint.request,
        )
    except cloudformation().exceptions.AlreadyExistsException:
        logger.info("stack %s is being created by somebody else: adopting it", name)
        if found := check_ours(name, blueprint.kind):
            await_settled(found.id, name)
        return ()
    stack = await_settled(made["StackId"], name)
    if stack.status != "CREATE_COMPLETE":
        failed = stack_failed(stack)
        delete_stack.fn(name)
        raise failed
    return (f"created stack {name}",)


def _update(found: CfnStack, blueprint: Blueprint, instead: str) -> Changes:
    change_set = make_change_set.fn(found, blueprint)
    if change_set is None:
        logger.info("stack %s is as wanted: nothing to do", found.name)
        return ()
    try:
        check_keeps(change_set.changes, (), instead)
    except WouldLose:
        delete_change_set(change_set)
        raise
    return execute_change_set.fn(change_set)
