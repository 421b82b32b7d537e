"""CloudFormation's change sets: what an update would do, resource by resource, before it is done or not.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-changesets.html
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from contextlib import suppress
from typing import TYPE_CHECKING

from tasks.clients import cloudformation
from tasks.errors import StackFailed, WouldLose
from tasks.events import Event, tell_event
from tasks.model import Changes, Noun
from tasks.stacks import PATIENCE, Blueprint, CfnStack, await_settled, stack_failed, token
from tasks.steps import step
from tasks.waits import NotYet, wait_until

if TYPE_CHECKING:
    from types_boto3_cloudformation.type_defs import DescribeChangeSetOutputTypeDef, ResourceChangeTypeDef

NAME = "tyrell-update"
"""One per stack: what a run that was killed has left is deleted by the next."""

FORESEEN = "tyrell-plan"
"""That of somebody who only looks: he must not delete the one that a run is about to execute."""

NO_CHANGES = ("The submitted information didn't contain changes.", "No updates are to be performed.")
RULES = frozenset({"AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress"})
"""A rule holds nothing, and CloudFormation makes the new one before the old one goes."""


class Change(Noun):
    """What an update would do to one resource, in CloudFormation's words."""

    stack: str
    """The CloudFormation stack it is in."""
    logical_id: str
    type: str
    action: str
    """`Add`, `Modify` or `Remove`."""
    replacement: str = ""
    """Of a modification: `True`, `False`, or `Conditional` when that shows only while it is done."""
    policy: str = ""
    """What becomes of what is replaced or removed: `Retain` and `ReplaceAndRetain` keep it, outside the stack."""
    because: tuple[str, ...] = ()
    """The properties that change; of a replacement, those that force it."""

    @property
    def loses(self) -> bool:
        """Whether what is there now goes, or may go. A rule that is replaced does not count: see `RULES`."""
        if self.action == "Modify":
            return self.replacement != "False" and self.type not in RULES
        return self.action != "Add"

    @property
    def told(self) -> str:
        """What happens and why, for people."""
        kept = " (what it holds is kept, outside the stack)" if self.policy.endswith("Retain") else ""
        if self.action != "Modify":
            return {"Add": "new", "Remove": "not in the template any more"}.get(self.action, self.action) + kept
        verb = {"True": "replaced", "False": "changed in place"}.get(self.replacement, "perhaps replaced")
        return f"{verb} because of {', '.join(self.because)}{kept}"


class ChangeSet(Noun):
    """A change set that can be executed."""

    id: str
    stack: CfnStack
    changes: tuple[Change, ...]
    """Empty when only outputs or tags of the stack change."""


@step("change set of stack {found.name}", system="cloudformation")
def make_change_set(found: CfnStack, blueprint: Blueprint, name: str = NAME) -> ChangeSet | None:
    """What would make the stack be as the blueprint says; None when it is. Raises StackFailed when it cannot be."""
    _delete(found, name)
    made = cloudformation().create_change_set(
        StackName=found.id,
        ChangeSetName=name,
        ChangeSetType="UPDATE",
        ClientToken=f"make-{uuid.uuid4()}",  # a call whose answer got lost is made again, and is the same one
        **blueprint.request,
    )
    described = wait_until(f"the change set of stack {found.name}", lambda: _look(made["Id"]), PATIENCE)
    if described["Status"] == "CREATE_COMPLETE":
        return ChangeSet(id=made["Id"], stack=found, changes=_changes(found.name, made["Id"]))
    _delete(found, made["Id"])
    reason = described.get("StatusReason", "no reason given")
    if reason.startswith(NO_CHANGES):
        return None
    raise StackFailed(found.name, f"{found.status}, its change set {described['Status']}", (reason,))


def foresee_changes(found: CfnStack, blueprint: Blueprint) -> tuple[Change, ...] | None:
    """What an update of the stack would do to its resources; None when it is as wanted. No change set is left.

    Raises StackFailed when it cannot be updated.
    """
    change_set = make_change_set.fn(found, blueprint, FORESEEN)
    if change_set is None:
        return None
    delete_change_set(change_set)
    return change_set.changes


def _look(name: str) -> DescribeChangeSetOutputTypeDef | NotYet:
    try:
        described = cloudformation().describe_change_set(ChangeSetName=name)
    except cloudformation().exceptions.ChangeSetNotFoundException:  # read after create may come too early
        return NotYet("CloudFormation does not know it yet")
    return described if described["Status"] in {"CREATE_COMPLETE", "FAILED"} else NotYet(described["Status"])


def _changes(stack: str, name: str) -> tuple[Change, ...]:
    pages = cloudformation().get_paginator("describe_change_set").paginate(ChangeSetName=name)
    return tuple(_change(stack, each["ResourceChange"]) for page in pages for each in page.get("Changes", []))


def _change(stack: str, change: ResourceChangeTypeDef) -> Change:
    targets = [detail["Target"] for detail in change.get("Details", [])]
    replacing = [target for target in targets if target.get("RequiresRecreation", "Never") != "Never"]
    names = [target.get("Name") or target["Attribute"] for target in replacing or targets]
    return Change(
        stack=stack,
        logical_id=change["LogicalResourceId"],
        type=change["ResourceType"],
        action=change["Action"],
        replacement=change.get("Replacement", ""),
        policy=change.get("PolicyAction", ""),
        because=tuple(dict.fromkeys(names)),
    )


def check_keeps(changes: Collection[Change], named: Collection[str], instead: str) -> None:
    """Raises WouldLose when something is replaced or removed that is not among the `named` logical ids."""
    losses = [change for change in changes if change.loses and change.logical_id not in named]
    if losses:
        stacks = dict.fromkeys(change.stack for change in losses)
        raise WouldLose(" and ".join(stacks), {change.logical_id: change.told for change in losses}, instead)


@step("update stack {change_set.stack.name}", system="cloudformation")
def execute_change_set(change_set: ChangeSet) -> Changes:
    """Do what it says, and wait until it is done. Raises StackFailed with the reasons when CloudFormation went back."""
    found = change_set.stack
    cloudformation().execute_change_set(ChangeSetName=change_set.id, ClientRequestToken=token("execute"))
    stack = await_settled(found.id, found.name)
    if stack.status != "UPDATE_COMPLETE":
        raise stack_failed(stack)
    resources = {change.logical_id: change.told for change in change_set.changes}
    match found.tags.get("tyrell:kind"):
        case "base":
            tell_event(Event.BASE_UPDATED, (found.name,), resources=resources)
        case "network":
            tell_event(Event.NETWORK_UPDATED, (found.name,), resources=resources)
    return (f"updated stack {found.name}",)


def delete_change_set(change_set: ChangeSet) -> None:
    """Nothing of it is left, unless it was executed."""
    _delete(change_set.stack, change_set.id)


def _delete(stack: CfnStack, name_or_id: str) -> None:
    with suppress(cloudformation().exceptions.ChangeSetNotFoundException):
        cloudformation().delete_change_set(StackName=stack.id, ChangeSetName=name_or_id)
