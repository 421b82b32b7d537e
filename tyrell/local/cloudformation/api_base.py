"""What all calls of the API share: parameters, clean errors, pages."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, BaseResponse
from moto.core.utils import camelcase_to_underscores

from tyrell.local.cloudformation.errors import UnknownOperationError, ValidationError
from tyrell.local.cloudformation.records import Stack

if TYPE_CHECKING:
    from tyrell.local.cloudformation.engine import CloudFormation

log = logging.getLogger(__name__)

PAGE = 100
"""Entries of one page, as AWS cuts its listings."""

UNSUPPORTED = (
    "TemplateURL",
    "StackPolicyBody",
    "StackPolicyURL",
    "RollbackConfiguration",
    "NotificationARNs",
    "ResourceTypes",
    "RetainExceptOnCreate",
    "ResourcesToImport",
)
"""Options of stacks and change sets that the engine does not have."""


class ApiBase(BaseResponse):
    """One request to the engine. moto parses its parameters by botocore's model and serialises the answer."""

    engine: CloudFormation

    def __init__(self) -> None:
        super().__init__(service_name="cloudformation")
        self.automated_parameter_parsing = True

    def call_action(self) -> Any:
        """Answer the request; an operation that is missing, or a defect, is an AWS error and not an HTML page."""
        operation = self._get_action()
        if not hasattr(type(self), camelcase_to_underscores(operation)):
            message = f"The operation {operation} of CloudFormation is not implemented by the embedded cloud."
            return self.serialized(ActionResult(UnknownOperationError(message)))
        try:
            return super().call_action()
        except Exception:
            log.exception("%s", operation)
            return self.serialized(
                ActionResult(ServiceException("InternalFailure", f"{operation} failed, see the log."))
            )

    def _given(self, name: str, default: Any = None) -> Any:
        value = self.params.get(name)
        return default if value is None else value

    def _stack(self) -> Stack:
        """The stack that the request names. Raises ValidationError."""
        name = self._given("StackName")
        if not name:
            raise ValidationError("StackName must be given")
        return self.engine.store.find(name)

    def _refuse_unsupported(self, *more: str) -> None:
        """Raise ValidationError for an option that would be ignored."""
        for name in (*UNSUPPORTED, *more):
            if self._given(name):
                raise ValidationError(f"{name} is not supported by the embedded cloud.")

    def _page(self, key: str, entries: list[Any]) -> ActionResult:
        """Up to PAGE entries from where NextToken says, and the token of those after them."""
        start = int(self._given("NextToken", 0))
        answer = {key: entries[start : start + PAGE]}
        return ActionResult(answer | ({"NextToken": str(start + PAGE)} if len(entries) > start + PAGE else {}))
