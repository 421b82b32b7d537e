"""One run over one stack: what it acts through, how it is told to stop, and what it does to one resource."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from botocore.exceptions import ClientError, ParamValidationError

from tyrell.local.cloudformation.cloud import Cloud
from tyrell.local.cloudformation.deletion import delete_patiently
from tyrell.local.cloudformation.errors import (
    ResourceCancelledError,
    ResourceFailedError,
    ValidationError,
    reason_of,
)
from tyrell.local.cloudformation.planning import new_name
from tyrell.local.cloudformation.records import Resource, Stack
from tyrell.local.cloudformation.resources import TYPES
from tyrell.local.cloudformation.resources.door import Door

log = logging.getLogger(__name__)

EXPECTED = (ResourceFailedError, ClientError, ParamValidationError, ValidationError)
"""Failures that are the template's or a service's; any other is a defect and goes to the log."""


class Operation:
    """One run over one stack, and the steps that it can do to one resource.

    Every step records its progress as events and answers whether it succeeded; none raises.
    """

    def __init__(self, cloud: Cloud, stack: Stack, timeout_minutes: int | None = None) -> None:
        self.cloud = cloud
        self.stack = stack
        self.superseded: list[Resource] = []
        self.cancel_reason: str | None = None
        self._cancelled = threading.Event()
        self._deadline = None if timeout_minutes is None else time.monotonic() + 60 * timeout_minutes
        self._door = Door(cloud.settings, self.is_cancelled)

    def cancel(self, reason: str | None = None) -> None:
        """Begin nothing new and give up what waits."""
        self.cancel_reason = self.cancel_reason or reason
        self._cancelled.set()

    def is_cancelled(self) -> bool:
        """Whether it was cancelled, its time is up, or the engine stops."""
        if self._deadline is not None and time.monotonic() > self._deadline:
            self.cancel("Stack creation time exceeded the specified timeout.")
        return self._cancelled.is_set() or self.cloud.stopping.is_set()

    def create(self, draft: Resource, resolve: Callable[[], Resource]) -> bool:
        """Create a resource; `resolve` answers it with its properties."""
        resource = self.stack.record(draft, "CREATE_IN_PROGRESS")
        return self._attempt("CREATE", resource, lambda: self._make(resolve(), "CREATE"))

    def update(self, current: Resource, resolve: Callable[[], Resource]) -> bool:
        """Bring an existing resource to what `resolve` answers: in place, or by a new one in its stead."""
        try:
            wanted = resolve()
        except Exception as error:  # the reason belongs to the resource
            return self._fail("UPDATE", current, error)
        if wanted.properties == current.properties:
            self.stack.resources[current.logical_id] = _keep(current, wanted)
            return True
        return self._attempt("UPDATE", current, lambda: self._change(current, wanted))

    def _change(self, current: Resource, wanted: Resource) -> None:
        kind = TYPES[wanted.type]
        names = wanted.properties.keys() | current.properties.keys()
        changed = {name for name in names if wanted.properties.get(name) != current.properties.get(name)}
        if changed & kind.fixed:
            self._replace(current, wanted)
            return
        self.stack.record(current, "UPDATE_IN_PROGRESS")
        wanted = replace(wanted, physical_id=current.physical_id, attributes=current.attributes)
        # known from here on as what was tried, so that a rollback knows what to undo
        self.stack.resources[wanted.logical_id] = replace(wanted, status="UPDATE_IN_PROGRESS")
        kind.configure(self._door, current.physical_id, wanted.properties, current.properties)
        self._finish("UPDATE", wanted)

    def _replace(self, current: Resource, wanted: Resource) -> None:
        name = TYPES[wanted.type].named
        if name and wanted.generated_name:
            fresh = new_name(self.stack.name, wanted.logical_id, name)
            wanted = replace(wanted, properties={**wanted.properties, name.property: fresh})
        elif name and wanted.properties[name.property] == current.properties[name.property]:
            raise ResourceFailedError(
                "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
                f"Rename {current.physical_id} and update the stack again."
            )
        reason = "Requested update requires the creation of a new physical resource; hence creating one."
        self.stack.record(current, "UPDATE_IN_PROGRESS", reason)
        self.superseded.append(current)
        self._make(wanted, "UPDATE")

    def _make(self, resource: Resource, verb: str) -> None:
        kind = TYPES[resource.type]
        physical_id = kind.create(self._door, resource.properties)
        started = f"Resource {'creation' if verb == 'CREATE' else 'update'} Initiated"
        resource = self.stack.record(resource, f"{verb}_IN_PROGRESS", started, physical_id=physical_id)
        kind.configure(self._door, physical_id, resource.properties, {})
        self._finish(verb, resource)

    def _finish(self, verb: str, resource: Resource) -> None:
        attributes = TYPES[resource.type].attributes(self._door, resource.physical_id, resource.properties)
        if self.is_cancelled():
            raise ResourceCancelledError
        self.stack.record(resource, f"{verb}_COMPLETE", attributes=attributes)

    def _attempt(self, verb: str, resource: Resource, step: Callable[[], None]) -> bool:
        try:
            step()
        except Exception as error:  # whatever went wrong is the resource's reason; the operation goes on
            return self._fail(verb, resource, error)
        return True

    def _fail(self, verb: str, resource: Resource, error: Exception) -> bool:
        if not isinstance(error, EXPECTED):
            log.exception("%s of %s in stack %s failed", verb, resource.logical_id, self.stack.name)
        reason = reason_of(error)
        if isinstance(error, ResourceCancelledError):
            reason = f"Resource {'creation' if verb == 'CREATE' else 'update'} cancelled"
        latest = self.stack.resources.get(resource.logical_id, resource)
        self.stack.record(latest, f"{verb}_FAILED", reason)
        self.cancel()
        return False

    def delete(self, resource: Resource) -> bool:
        """Delete a resource; one that is gone already counts as deleted."""
        self._tell(resource, "DELETE_IN_PROGRESS")
        try:
            delete_patiently(self._door, resource)
        except Exception as error:
            if not isinstance(error, EXPECTED):
                log.exception("deleting %s of stack %s failed", resource.logical_id, self.stack.name)
            self._tell(resource, "DELETE_FAILED", reason_of(error))
            return False
        self._tell(resource, "DELETE_COMPLETE")
        return True

    def skip(self, resource: Resource) -> None:
        """Leave a resource behind."""
        self._tell(resource, "DELETE_SKIPPED")

    def _tell(self, resource: Resource, status: str, reason: str | None = None) -> None:
        """Record it, unless another physical resource has taken its logical id meanwhile: then only the event."""
        current = self.stack.resources.get(resource.logical_id)
        if current is not None and current.physical_id == resource.physical_id:
            self.stack.record(current, status, reason)
        else:
            self.stack.tell(resource, status, reason)


def _keep(current: Resource, wanted: Resource) -> Resource:
    """The unchanged resource under the new template's policies and dependencies."""
    return replace(
        current,
        dependencies=wanted.dependencies,
        deletion_policy=wanted.deletion_policy,
        update_replace_policy=wanted.update_replace_policy,
    )
