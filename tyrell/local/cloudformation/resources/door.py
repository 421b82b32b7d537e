"""How resources reach AWS: one call, with parameters in CloudFormation's loose types; one wait, with a deadline."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError
from botocore.model import ListShape, MapShape, Shape, StructureShape

from tyrell.local.aws import client
from tyrell.local.cloudformation.errors import ResourceCancelledError, ResourceFailedError, is_gone
from tyrell.local.settings import Settings

POLL = 0.05
"""Seconds between two looks."""


class Door:
    """Calls AWS for the resources of one operation; `cancelled` ends its waits."""

    def __init__(self, settings: Settings, cancelled: Callable[[], bool]) -> None:
        self._settings = settings
        self._cancelled = cancelled
        self._pause = threading.Event()

    @property
    def region(self) -> str:
        """The region of the stack."""
        return self._settings.region

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """Call `operation` (as boto3 spells it) and answer its result.

        Parameters may be in the types that templates allow: "5" for 5, "true" for true, a map for a policy text.
        Raises ClientError as the service answers, ResourceFailedError for a name that the operation does not know.
        """
        caller = client(self._settings, service)
        name = caller.meta.method_to_api_mapping[operation]
        shape = caller.meta.service_model.operation_model(name).input_shape
        answer: dict[str, Any] = getattr(caller, operation)(**fit(parameters, shape))
        return answer

    def drop(self, service: str, operation: str, **parameters: Any) -> None:
        """Call an operation that takes something away; it is fine if that is not there.

        A rollback takes away what a failed update may not have added yet.
        """
        try:
            self.call(service, operation, **parameters)
        except ClientError as error:
            if not is_gone(error):
                raise

    def wait_until(self, what: str, look: Callable[[], bool], seconds: float = 120) -> None:
        """Look until it is so. Raises ResourceFailedError after `seconds`, ResourceCancelledError when cancelled."""
        deadline = time.monotonic() + seconds
        while not look():
            if self._cancelled():
                raise ResourceCancelledError(f"Cancelled while waiting until {what}")
            if time.monotonic() > deadline:
                raise ResourceFailedError(f"Exceeded attempts to wait: {seconds:.0f} s were not enough until {what}")
            self._pause.wait(POLL)


def fit(value: Any, shape: Shape) -> Any:
    """`value` in the types that the service's model asks for.

    Raises ResourceFailedError for a member of a structure that the model does not have.
    """
    if isinstance(shape, StructureShape) and isinstance(value, Mapping):
        return {name: fit(item, _member(shape, name)) for name, item in value.items()}
    if isinstance(shape, ListShape) and isinstance(value, list | tuple):
        return [fit(item, shape.member) for item in value]
    if isinstance(shape, MapShape) and isinstance(value, Mapping):
        return {key: fit(item, shape.value) for key, item in value.items()}
    return _fit_scalar(value, shape.type_name)


def _member(shape: StructureShape, name: str) -> Shape:
    if name not in shape.members:
        raise ResourceFailedError(f"Encountered unsupported property {name}")
    return shape.members[name]


def _fit_scalar(value: Any, kind: str) -> Any:
    if kind == "string":
        return as_text(value)
    if kind in ("integer", "long") and isinstance(value, str | float):
        return _number(value, int)
    if kind in ("float", "double") and isinstance(value, str | int):
        return _number(value, float)
    if kind == "boolean" and str(value).lower() in ("true", "false"):
        return str(value).lower() == "true"
    return value


def _number(value: Any, kind: type[int] | type[float]) -> int | float:
    try:
        return kind(value)
    except ValueError:
        raise ResourceFailedError(f"Value {value!r} is not a number") from None


def as_text(value: Any) -> str:
    """A scalar as AWS writes it; a policy document or the like as JSON."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list):
        return json.dumps(value)
    return str(value)
