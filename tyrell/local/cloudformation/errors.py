"""What can go wrong: errors of the API as CloudFormation words them, and failures of one resource.

ServiceException (moto)            answered to the caller, who gets a botocore ClientError
├── ValidationError                the request or the template is wrong, or the stack is in the wrong state
├── AlreadyExistsError             a stack of that name exists
├── InsufficientCapabilitiesError  the template makes IAM resources and the caller did not acknowledge it
├── ChangeSetNotFoundError
├── InvalidChangeSetStatusError
└── UnknownOperationError          an operation of the real service that this engine does not have
ResourceFailedError                becomes the reason of a resource's FAILED event
└── ResourceCancelledError         the resource itself was fine, a sibling failed or somebody cancelled
"""

from __future__ import annotations

import re

from botocore.exceptions import ClientError
from moto.core.exceptions import ServiceException


class ValidationError(ServiceException):
    """The request or the template is wrong, or the stack is in a state that forbids the call."""

    code = "ValidationError"


class AlreadyExistsError(ServiceException):
    """A stack or change set of that name exists."""

    code = "AlreadyExistsException"


class InsufficientCapabilitiesError(ServiceException):
    """The template makes IAM resources and the caller did not acknowledge it."""

    code = "InsufficientCapabilitiesException"


class ChangeSetNotFoundError(ServiceException):
    """No change set of that name or id."""

    code = "ChangeSetNotFound"


class InvalidChangeSetStatusError(ServiceException):
    """The change set cannot be executed or deleted in its present state."""

    code = "InvalidChangeSetStatus"


class UnknownOperationError(ServiceException):
    """An operation of the real service that this engine does not have."""

    code = "UnknownOperation"


class ResourceFailedError(Exception):
    """One resource could not be created, updated or deleted; the text is the reason shown in its event."""


class ResourceCancelledError(ResourceFailedError):
    """The resource was given up because a sibling failed or somebody cancelled."""


GONE = re.compile(r"NotFound|NoSuch|NonExistent|DoesNotExist")


def is_gone(error: ClientError) -> bool:
    """Whether a service says, by its error code, that something is not there (any more)."""
    return bool(GONE.search(str(error.response["Error"].get("Code"))))


def reason_of(error: Exception) -> str:
    """The reason for an event: a service's own text with its code, or our own sentence."""
    if isinstance(error, ClientError):
        answer = error.response["Error"]
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
        facts = f"Operation: {error.operation_name}; Status Code: {status}; Error Code: {answer.get('Code')}"
        return f"{answer.get('Message', error)} ({facts})"
    if isinstance(error, ServiceException):
        return str(error.message)
    return str(error) or type(error).__name__
