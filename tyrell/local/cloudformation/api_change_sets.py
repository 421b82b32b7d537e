"""Calls about change sets."""

from __future__ import annotations

import uuid

from moto.core.responses import ActionResult

from tyrell.local.cloudformation.answers import change_answer, change_set_summary, parameters
from tyrell.local.cloudformation.api_base import ApiBase
from tyrell.local.cloudformation.changes import find_changes
from tyrell.local.cloudformation.errors import AlreadyExistsError, InvalidChangeSetStatusError, ValidationError
from tyrell.local.cloudformation.records import ChangeSet, Revision, Stack
from tyrell.local.cloudformation.requests import check_stack_name, read_revision
from tyrell.local.settings import ACCOUNT

NOTHING_CHANGES = (
    "The submitted information didn't contain changes. Submit different information to create a change set."
)


class ChangeSetCalls(ApiBase):
    """Create, describe, execute, delete, list."""

    def create_change_set(self) -> ActionResult:
        """CreateChangeSet: for a new stack (which is then under review) or an update; FAILED when nothing changes."""
        self._refuse_unsupported("ImportExistingResources", "IncludeNestedStacks")
        name = self._given("StackName", "")
        kind = self._given("ChangeSetType", "UPDATE")
        with self.engine.store.lock:
            stack = self._stack_to_create(name) if kind == "CREATE" else self._stack_to_update()
            known = {one.name: one for one in self.engine.store.change_sets(stack)}
            if existing := known.get(self._given("ChangeSetName")):
                if existing.made_by and existing.made_by == self._given("ClientToken"):
                    return ActionResult({"Id": existing.id, "StackId": stack.id})
                raise AlreadyExistsError(
                    f"ChangeSet {self._given('ChangeSetName')} cannot be created due to a mismatch"
                    " with existing attribute ChangeSetName"
                )
            revision = read_revision(self.params, self.engine.cloud.read_ssm, stack.revision)
            change_set = self._change_set(stack, revision, kind)
            if not stack.status:
                self.engine.store.add(stack)
                stack.enter("REVIEW_IN_PROGRESS", "User Initiated")
            self.engine.store.add_change_set(change_set)
        return ActionResult({"Id": change_set.id, "StackId": stack.id})

    def _stack_to_create(self, name: str) -> Stack:
        check_stack_name(name)
        existing = self.engine.store.named(name)
        if existing and existing.status != "REVIEW_IN_PROGRESS":
            raise ValidationError(
                f"Stack [{name}] already exists and cannot be created again with the changeSet "
                f"[{self._given('ChangeSetName')}]."
            )
        return existing or self.engine.new_stack(name)

    def _stack_to_update(self) -> Stack:
        stack = self._stack()
        if stack.busy or stack.status in ("ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS", "DELETE_FAILED"):
            raise ValidationError(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")
        return stack

    def _change_set(self, stack: Stack, revision: Revision, kind: str) -> ChangeSet:
        name = self._given("ChangeSetName")
        differs = kind == "CREATE" or self.engine.differs(stack, revision)
        return ChangeSet(
            id=f"arn:aws:cloudformation:{self.engine.settings.region}:{ACCOUNT}:changeSet/{name}/{uuid.uuid4()}",
            name=name,
            kind=kind,
            stack=stack,
            revision=revision,
            changes=tuple(find_changes(self.engine.plan(stack, revision))),
            description=self._given("Description"),
            made_by=self._given("ClientToken"),
            status="CREATE_COMPLETE" if differs else "FAILED",
            execution_status="AVAILABLE" if differs else "UNAVAILABLE",
            reason=None if differs else NOTHING_CHANGES,
        )

    def _found(self) -> ChangeSet:
        return self.engine.store.find_change_set(self._given("ChangeSetName", ""), self._given("StackName"))

    def describe_change_set(self) -> ActionResult:
        """DescribeChangeSet: with every change, its replacement and the changed properties."""
        change_set = self._found()
        revision = change_set.revision
        details = {
            "Parameters": parameters(revision),
            "Tags": [dict(tag) for tag in revision.tags],
            "Capabilities": list(revision.capabilities),
            "Changes": [change_answer(change) for change in change_set.changes],
        }
        return ActionResult(change_set_summary(change_set) | details)

    def execute_change_set(self) -> ActionResult:
        """ExecuteChangeSet: begins the creation or update; the stack's other change sets are gone with it."""
        with self.engine.store.lock:
            change_set = self._found()
            stack, token = change_set.stack, self._given("ClientRequestToken")
            if token and change_set.client_token == token:
                return ActionResult({})
            if change_set.execution_status != "AVAILABLE":
                raise InvalidChangeSetStatusError(
                    f"ChangeSet [{change_set.id}] cannot be executed in its current status of [{change_set.status}]"
                )
            if change_set.kind == "CREATE":
                stack.on_failure = "DO_NOTHING" if self._given("DisableRollback") else stack.on_failure
                self.engine.create(stack, change_set.revision)
            else:
                self._refuse_unsupported("DisableRollback")
                self.engine.update(stack, change_set.revision)
            change_set.execution_status, change_set.client_token = "EXECUTE_COMPLETE", token
            others = [one for one in self.engine.store.change_sets(stack) if one is not change_set]
            self.engine.store.drop_change_sets(*others)
        return ActionResult({})

    def delete_change_set(self) -> ActionResult:
        """DeleteChangeSet: the stack stays, even one under review."""
        self.engine.store.drop_change_sets(self._found())
        return ActionResult({})

    def list_change_sets(self) -> ActionResult:
        """ListChangeSets."""
        change_sets = self.engine.store.change_sets(self._stack())
        return self._page("Summaries", [change_set_summary(change_set) for change_set in change_sets])
