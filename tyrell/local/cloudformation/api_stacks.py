"""Calls that change stacks."""

from __future__ import annotations

from moto.core.responses import ActionResult, EmptyResult

from tyrell.local.cloudformation.api_base import ApiBase
from tyrell.local.cloudformation.errors import AlreadyExistsError, ValidationError
from tyrell.local.cloudformation.records import Stack
from tyrell.local.cloudformation.requests import check_stack_name, read_revision


class StackCalls(ApiBase):
    """Create, update, delete, cancel, protect."""

    def create_stack(self) -> ActionResult:
        """CreateStack: answers at once, the work goes on."""
        self._refuse_unsupported()
        name, token = self._given("StackName", ""), self._given("ClientRequestToken")
        check_stack_name(name)
        revision = read_revision(self.params, self.engine.cloud.read_ssm)
        with self.engine.store.lock:
            existing = self.engine.store.named(name)
            if existing and token and existing.client_token == token:
                return ActionResult({"StackId": existing.id})
            if existing:
                raise AlreadyExistsError(f"Stack [{name}] already exists")
            stack = self.engine.new_stack(name)
            stack.client_token = token
            stack.on_failure = self._failure_policy()
            stack.timeout_minutes = self._given("TimeoutInMinutes")
            stack.protected = bool(self._given("EnableTerminationProtection"))
            self.engine.create(stack, revision)
        return ActionResult({"StackId": stack.id})

    def _failure_policy(self) -> str:
        disabled, policy = self._given("DisableRollback"), self._given("OnFailure")
        if disabled is not None and policy is not None:
            raise ValidationError("Either DisableRollback or OnFailure can be specified, not both.")
        return "DO_NOTHING" if disabled else policy or "ROLLBACK"

    def update_stack(self) -> ActionResult:
        """UpdateStack: answers at once, the work goes on."""
        self._refuse_unsupported("DisableRollback")
        stack = self._stack()
        self.engine.update(stack, read_revision(self.params, self.engine.cloud.read_ssm, stack.revision))
        self.engine.store.drop_change_sets(*self.engine.store.change_sets(stack))  # they are outdated now
        return ActionResult({"StackId": stack.id})

    def cancel_update_stack(self) -> ActionResult:
        """CancelUpdateStack: the running update rolls back."""
        self.engine.cancel_update(self._stack())
        return EmptyResult()

    def delete_stack(self) -> ActionResult:
        """DeleteStack: answers at once; a stack that does not exist is no error."""
        stack = self._existing()
        if stack:
            self.engine.delete(stack, self._given("RetainResources", ()))
        return EmptyResult()

    def _existing(self) -> Stack | None:
        try:
            return self._stack()
        except ValidationError:
            return None

    def update_termination_protection(self) -> ActionResult:
        """UpdateTerminationProtection."""
        stack = self._stack()
        stack.protected = bool(self._given("EnableTerminationProtection"))
        return ActionResult({"StackId": stack.id})
