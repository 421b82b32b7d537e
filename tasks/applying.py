"""A CloudFormation stack as it is to be: created, updated in place, or left alone."""

from __future__ import annotations

import logging

from prefect import runtime

from tasks.change_sets import check_keeps, delete_change_set, execute_change_set, make_change_set
from tasks.clients import cloudformation
from tasks.errors import WouldLose
from tasks.model import Changes
from tasks.stack_statuses import statuses
from tasks.stacks import Blueprint, CfnStack, await_settled, check_ours, delete_stack, find_at_rest, stack_failed, token
from tasks.steps import step

logger = logging.getLogger(__name__)

INSTEAD = "`tyrell stack update` shows it all, and does it when each is named with --allow-replace"
_BASE_STAYS = "a base stack is never deleted by itself: `tyrell down` deletes it"


@step("apply stack {blueprint.name}", system="cloudformation")
def apply_stack(blueprint: Blueprint, instead: str = INSTEAD) -> Changes:
    """Make the stack be what the blueprint says: created, updated in place, or left alone.

    What is done with one that is there says `stack_statuses.toml`. Raises StackFailed with the failed resources' own
    reasons; a stack that could not be created is removed again, unless it is a base stack.
    Raises WouldLose, which says what to do `instead`, when the update would replace or remove something.
    """
    found = _usable(find_at_rest(blueprint))
    return _create(blueprint) if found is None else _update(found, blueprint, instead)


def _usable(found: CfnStack | None) -> CfnStack | None:
    """The stack if it can be updated; None when there is none, or none any more."""
    if found is None:
        return None
    match statuses().action(found.status):
        case "refuse":
            raise stack_failed(found, statuses().refuse.get(found.status, "no run can mend that"))
        case "remake":
            _remove(found)
            return None
        case _:
            return found


def _remove(stack: CfnStack) -> None:
    """Delete a stack that does not work. Raises StackFailed for a base stack."""
    if stack.is_base:
        raise stack_failed(stack, _BASE_STAYS)
    logger.info("deleting what does not work: %s", stack_failed(stack))
    delete_stack.fn(stack.name)


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
        check_ours(name, blueprint.kind)
        adopted = await_settled(name, name)
        if statuses().action(adopted.status) != "update":
            raise stack_failed(adopted) from None
        return ()
    stack = await_settled(made["StackId"], name)
    if stack.status != "CREATE_COMPLETE":
        failed = stack_failed(stack)
        _remove(stack)
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
