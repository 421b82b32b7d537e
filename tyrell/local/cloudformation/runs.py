"""What the engine does to a whole stack: create, update and delete it, and roll back when that fails.

Statuses and their order are those of the AWS CloudFormation User Guide, "Stack status codes".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from tyrell.local.cloudformation.errors import reason_of
from tyrell.local.cloudformation.graph import in_order, reverse, walk
from tyrell.local.cloudformation.operation import Operation
from tyrell.local.cloudformation.planning import Plan
from tyrell.local.cloudformation.records import RETAINED, Resource, Revision
from tyrell.local.cloudformation.template import ResourceDefinition


def create_stack(operation: Operation, revision: Revision) -> None:
    """From CREATE_IN_PROGRESS to CREATE_COMPLETE, or to where the stack's failure policy leads."""
    stack = operation.stack
    failure = _apply(operation, revision)
    if failure is None:
        stack.enter("CREATE_COMPLETE")
    elif stack.on_failure == "DO_NOTHING" or operation.cloud.stopping.is_set():
        stack.enter("CREATE_FAILED", failure)
    elif stack.on_failure == "DELETE":
        stack.enter("DELETE_IN_PROGRESS", f"{failure} Delete requested by user.")
        delete_stack(Operation(operation.cloud, stack), creation_failed=True)
    else:
        stack.enter("ROLLBACK_IN_PROGRESS", f"{failure} Rollback requested by user.")
        _delete_everything(Operation(operation.cloud, stack), "ROLLBACK", creation_failed=True)


def update_stack(operation: Operation, revision: Revision) -> None:
    """From UPDATE_IN_PROGRESS to UPDATE_COMPLETE, or back to UPDATE_ROLLBACK_COMPLETE."""
    stack = operation.stack
    before, outputs, imports = stack.living(), stack.outputs, stack.imports
    failure = _apply(operation, revision)
    if failure is None:
        stack.revision = revision
        stack.enter("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        active = Plan(stack, revision, operation.cloud).definitions
        removed = [resource for name, resource in stack.living().items() if name not in active]
        _clean_up(Operation(operation.cloud, stack), removed, operation.superseded)
        stack.enter("UPDATE_COMPLETE")
        return
    if operation.cloud.stopping.is_set():
        stack.enter("UPDATE_FAILED", failure)
        return
    stack.outputs, stack.imports = outputs, imports
    stack.enter("UPDATE_ROLLBACK_IN_PROGRESS", failure)
    _roll_back_update(Operation(operation.cloud, stack), before)


def delete_stack(operation: Operation, retained: Iterable[str] = (), *, creation_failed: bool = False) -> None:
    """From DELETE_IN_PROGRESS to DELETE_COMPLETE or DELETE_FAILED; logical ids in `retained` are left behind."""
    _delete_everything(operation, "DELETE", retained, creation_failed=creation_failed)


def _apply(operation: Operation, revision: Revision) -> str | None:
    """Make every resource what the revision says and compute the outputs; the reason if that fails."""
    stack, cloud = operation.stack, operation.cloud
    plan = Plan(stack, revision, cloud)
    exists = stack.living()
    creating: list[str] = []
    updating: list[str] = []

    def work(name: str) -> bool:
        (updating if name in exists else creating).append(name)
        return _apply_one(operation, plan, plan.definitions[name], exists.get(name))

    failed = walk(plan.graph, work, operation.is_cancelled)
    if failed or operation.is_cancelled():
        parts = [_failed(failed, creating, "create"), _failed(failed, updating, "update")]
        return operation.cancel_reason or " ".join(filter(None, parts)) or "Operation cancelled."
    try:
        with cloud.store.lock:  # two stacks must not take the same export
            stack.outputs = plan.outputs()
    except Exception as error:  # the stack's own failure, e.g. an export that is taken
        return reason_of(error)
    stack.imports = frozenset(plan.imports)
    return None


def _apply_one(operation: Operation, plan: Plan, definition: ResourceDefinition, current: Resource | None) -> bool:
    draft = plan.draft(definition)

    def resolve() -> Resource:
        properties, generated = plan.complete(definition, plan.resolve(definition.properties), current)
        operation.stack.imports |= plan.imports  # from now on the exporting stack must not go
        return replace(draft, properties=properties, generated_name=generated)

    return operation.create(draft, resolve) if current is None else operation.update(current, resolve)


def _failed(failed: list[str], among: list[str], verb: str) -> str:
    names = sorted(name for name in failed if name in among)
    return f"The following resource(s) failed to {verb}: [{', '.join(names)}]." if names else ""


def _roll_back_update(operation: Operation, before: Mapping[str, Resource]) -> None:
    """Put every resource back to what it was, then delete what the failed update made."""
    stack = operation.stack
    made = [
        resource
        for name, resource in stack.living().items()
        if name not in before or resource.physical_id != before[name].physical_id
    ]
    graph = {name: resource.dependencies & before.keys() for name, resource in before.items()}
    failed = [name for name in in_order(graph) if not _restore(operation, before[name])]
    if failed:
        stack.enter("UPDATE_ROLLBACK_FAILED", f"The following resource(s) failed to update: [{', '.join(failed)}].")
        return
    stack.enter("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
    _clean_up(operation, made, [])
    for name in stack.resources.keys() - before.keys():
        del stack.resources[name]
    stack.enter("UPDATE_ROLLBACK_COMPLETE")


def _restore(operation: Operation, former: Resource) -> bool:
    stack = operation.stack
    current = stack.resources[former.logical_id]
    if current.physical_id == former.physical_id and current.properties != former.properties:
        return operation.update(current, lambda: former)
    if current.status != former.status or current.physical_id != former.physical_id:
        stack.record(former, "UPDATE_COMPLETE")
    else:
        stack.resources[former.logical_id] = former
    return True


def _clean_up(operation: Operation, removed: list[Resource], superseded: list[Resource]) -> None:
    """Delete what an update left over. A resource that cannot be deleted stays behind, as on AWS."""
    kept = [resource for resource in removed if resource.deletion_policy in RETAINED]
    kept += [resource for resource in superseded if resource.update_replace_policy in RETAINED]
    for resource in kept:
        operation.skip(resource)
    _delete(operation, [resource for resource in [*removed, *superseded] if resource not in kept])
    for resource in removed:
        current = operation.stack.resources.get(resource.logical_id)
        if current is not None and current.physical_id == resource.physical_id:
            del operation.stack.resources[resource.logical_id]


def _delete_everything(
    operation: Operation, verb: str, retained: Iterable[str] = (), *, creation_failed: bool = False
) -> None:
    stack = operation.stack
    policies = {"Retain"} if creation_failed else RETAINED
    living = list(stack.living().values())
    kept = [resource for resource in living if resource.deletion_policy in policies or resource.logical_id in retained]
    for resource in kept:
        operation.skip(resource)
    failed = _delete(operation, [resource for resource in living if resource not in kept])
    if failed:
        stack.enter(f"{verb}_FAILED", f"The following resource(s) failed to delete: [{', '.join(sorted(failed))}].")
        return
    if operation.is_cancelled():
        stack.enter(f"{verb}_FAILED", "The embedded cloud was stopped meanwhile.")
        return
    stack.outputs, stack.imports = (), frozenset()
    stack.enter(f"{verb}_COMPLETE")


def _delete(operation: Operation, resources: list[Resource]) -> list[str]:
    """Delete resources, each after those that depend on it; answers the logical ids that failed."""
    by_name = {resource.logical_id: resource for resource in resources}
    graph = {name: resource.dependencies & by_name.keys() for name, resource in by_name.items()}
    return walk(reverse(graph), lambda name: operation.delete(by_name[name]), operation.is_cancelled)
