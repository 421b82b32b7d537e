"""The CloudFormation engine of the embedded cloud: takes the place of moto's, works through the other services."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterable

from moto.cloudformation import urls

from tyrell.local.cloudformation import runs
from tyrell.local.cloudformation.api import api_of
from tyrell.local.cloudformation.changes import find_changes
from tyrell.local.cloudformation.cloud import Cloud
from tyrell.local.cloudformation.errors import AlreadyExistsError, ValidationError
from tyrell.local.cloudformation.moto_patches import apply_patches
from tyrell.local.cloudformation.operation import Operation
from tyrell.local.cloudformation.planning import Plan, refuse_if_in_use
from tyrell.local.cloudformation.records import Revision, Stack, now
from tyrell.local.settings import ACCOUNT, Settings

log = logging.getLogger(__name__)

STOP_PATIENCE = 15
"""Seconds that operations have to end when the engine stops."""

UPDATABLE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")


class CloudFormation:
    """Stacks as AWS keeps them: operations run in the background and pass through their real states."""

    def __init__(self, settings: Settings) -> None:
        self.cloud = Cloud(settings)
        self.settings = settings
        self.store = self.cloud.store
        self._running: dict[str, tuple[Operation, threading.Thread]] = {}
        self._replaced = urls.url_paths["{0}/$"]

    def install(self) -> None:
        """Take the place of moto's CloudFormation. Before the server starts."""
        apply_patches()
        self._replaced = urls.url_paths["{0}/$"]
        urls.url_paths["{0}/$"] = api_of(self).dispatch

    def start(self) -> None:
        """Be ready for operations; each has its own thread from its call to its end."""
        self.cloud.stopping.clear()

    def stop(self) -> None:
        """End all operations where they are, within STOP_PATIENCE seconds, no rollback; moto has its own API back."""
        urls.url_paths["{0}/$"] = self._replaced
        self.cloud.stopping.set()
        deadline = time.monotonic() + STOP_PATIENCE
        for _, thread in list(self._running.values()):
            thread.join(max(0.0, deadline - time.monotonic()))

    def new_stack(self, name: str) -> Stack:
        """A stack with a fresh id, not yet kept. Hold the store's lock until it is. Raises AlreadyExistsError."""
        if self.store.named(name):
            raise AlreadyExistsError(f"Stack [{name}] already exists")
        return Stack(f"arn:aws:cloudformation:{self.settings.region}:{ACCOUNT}:stack/{name}/{uuid.uuid4()}", name)

    def plan(self, stack: Stack, revision: Revision) -> Plan:
        """What the revision means for the stack."""
        return Plan(stack, revision, self.cloud)

    def create(self, stack: Stack, revision: Revision) -> None:
        """Begin to create a stack that has no resources yet."""
        stack.revision = revision
        self.store.add(stack)
        stack.enter("CREATE_IN_PROGRESS", "User Initiated")
        operation = Operation(self.cloud, stack, stack.timeout_minutes)
        self._begin(operation, lambda: runs.create_stack(operation, revision))

    def update(self, stack: Stack, revision: Revision) -> None:
        """Begin to update a stack. Raises ValidationError when it is not in a state for it or nothing changes."""
        with self.store.lock:
            if stack.status not in UPDATABLE:
                raise ValidationError(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")
            if not self.differs(stack, revision):
                raise ValidationError("No updates are to be performed.")
            stack.updated = now()
            stack.enter("UPDATE_IN_PROGRESS", "User Initiated")
            operation = Operation(self.cloud, stack)
            self._begin(operation, lambda: runs.update_stack(operation, revision))

    def differs(self, stack: Stack, revision: Revision) -> bool:
        """Whether the revision would change a resource, an output or the stack's tags."""
        current = stack.revision
        if current is None or find_changes(self.plan(stack, revision)):
            return True
        same_outputs = revision.template.outputs == current.template.outputs
        return not same_outputs or revision.tags != current.tags

    def cancel_update(self, stack: Stack) -> None:
        """Give up the running update; the stack rolls back. Raises ValidationError when none runs."""
        with self.store.lock:
            if stack.status != "UPDATE_IN_PROGRESS":
                raise ValidationError(f"CancelUpdateStack cannot be called from current stack status {stack.status}")
            self._running[stack.id][0].cancel("User Initiated")

    def delete(self, stack: Stack, retained: Iterable[str]) -> None:
        """Begin to delete a stack. Raises ValidationError when it is protected, busy or its exports are in use."""
        with self.store.lock:
            if stack.status in ("DELETE_IN_PROGRESS", "DELETE_COMPLETE"):
                return
            if stack.protected:
                raise ValidationError(f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled")
            if stack.busy:
                raise ValidationError(f"Stack [{stack.name}] cannot be deleted while in status {stack.status}")
            retained = frozenset(retained)
            if retained and stack.status != "DELETE_FAILED":
                raise ValidationError(
                    "Invalid operation on stack. RetainResources is only for stacks in the state DELETE_FAILED."
                )
            for output in stack.outputs:
                refuse_if_in_use(self.store, output.export or "", "deleted")
            stack.enter("DELETE_IN_PROGRESS", "User Initiated")
            operation = Operation(self.cloud, stack)
            self._begin(operation, lambda: runs.delete_stack(operation, retained))

    def _begin(self, operation: Operation, run: Callable[[], None]) -> None:
        stack = operation.stack

        def run_to_the_end() -> None:
            try:
                run()
            except Exception:  # a defect of this engine must not leave the stack in progress for ever
                log.exception("stack %s", stack.name)
                stack.enter(stack.status.replace("IN_PROGRESS", "FAILED"), "Internal Failure")
            finally:
                with self.store.lock:  # the next operation may have begun already
                    if self._running[stack.id][0] is operation:
                        del self._running[stack.id]

        thread = threading.Thread(target=run_to_the_end, name=f"cloudformation-{stack.name}", daemon=True)
        self._running[stack.id] = operation, thread
        thread.start()
