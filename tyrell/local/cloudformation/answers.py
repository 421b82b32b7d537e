"""Records as the API shows them."""

from __future__ import annotations

from typing import Any

from tyrell.local.cloudformation.parameters import default_text, shown_value
from tyrell.local.cloudformation.records import Change, ChangeSet, Output, PropertyChange, Resource, Revision, Stack


def without_none(answer: dict[str, Any]) -> dict[str, Any]:
    """Only the members that have a value."""
    return {name: value for name, value in answer.items() if value is not None}


def stack_summary(stack: Stack) -> dict[str, Any]:
    """A StackSummary of ListStacks."""
    return without_none(
        {
            "StackId": stack.id,
            "StackName": stack.name,
            "TemplateDescription": stack.revision.template.description if stack.revision else None,
            "CreationTime": stack.created,
            "LastUpdatedTime": stack.updated,
            "DeletionTime": stack.deleted,
            "StackStatus": stack.status,
            "StackStatusReason": stack.reason,
            "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
        }
    )


def stack_answer(stack: Stack) -> dict[str, Any]:
    """A Stack of DescribeStacks."""
    summary = stack_summary(stack)
    revision = stack.revision
    description = summary.pop("TemplateDescription", None)
    return summary | without_none(
        {
            "Description": description,
            "Parameters": parameters(revision) if revision else [],
            "DisableRollback": stack.on_failure == "DO_NOTHING",
            "TimeoutInMinutes": stack.timeout_minutes,
            "Capabilities": list(revision.capabilities) if revision else [],
            "Outputs": [output_answer(output) for output in stack.outputs],
            "Tags": [dict(tag) for tag in revision.tags] if revision else [],
            "EnableTerminationProtection": stack.protected,
        }
    )


def parameters(revision: Revision) -> list[dict[str, str]]:
    """A stack's parameters as given or by default, secrets masked."""
    return [
        {
            "ParameterKey": name,
            "ParameterValue": shown_value(entry, revision.given.get(name, default_text(entry) or "")),
        }
        for name, entry in revision.template.parameters.items()
    ]


def output_answer(output: Output) -> dict[str, Any]:
    """An Output of DescribeStacks."""
    return without_none(
        {
            "OutputKey": output.key,
            "OutputValue": output.value,
            "Description": output.description,
            "ExportName": output.export,
        }
    )


def resource_answer(resource: Resource) -> dict[str, Any]:
    """What all listings of resources have in common."""
    return without_none(
        {
            "LogicalResourceId": resource.logical_id,
            "PhysicalResourceId": resource.physical_id or None,
            "ResourceType": resource.type,
            "ResourceStatus": resource.status,
            "ResourceStatusReason": resource.reason,
            "LastUpdatedTimestamp": resource.changed,
            "Timestamp": resource.changed,
        }
    )


def change_set_summary(change_set: ChangeSet) -> dict[str, Any]:
    """A ChangeSetSummary of ListChangeSets; the start of DescribeChangeSet's answer."""
    return without_none(
        {
            "StackId": change_set.stack.id,
            "StackName": change_set.stack.name,
            "ChangeSetId": change_set.id,
            "ChangeSetName": change_set.name,
            "ExecutionStatus": change_set.execution_status,
            "Status": change_set.status,
            "StatusReason": change_set.reason,
            "CreationTime": change_set.created,
            "Description": change_set.description,
        }
    )


def change_answer(change: Change) -> dict[str, Any]:
    """A Change of DescribeChangeSet."""
    details = [
        {
            "Target": _target(changed),
            "Evaluation": "Dynamic" if changed.dynamic else "Static",
            "ChangeSource": "ResourceAttribute" if changed.dynamic else "DirectModification",
        }
        for changed in change.properties
    ]
    facts = without_none(
        {
            "PolicyAction": change.policy_action,
            "Action": change.action,
            "LogicalResourceId": change.logical_id,
            "PhysicalResourceId": change.physical_id or None,
            "ResourceType": change.type,
            "Replacement": change.replacement,
            "Scope": sorted({_target(changed)["Attribute"] for changed in change.properties}),
            "Details": details,
        }
    )
    return {"Type": "Resource", "ResourceChange": facts}


def _target(changed: PropertyChange) -> dict[str, Any]:
    """Tags are an attribute of their own, without a name."""
    recreation = _recreation(replaces=changed.replaces, dynamic=changed.dynamic)
    if changed.name == "Tags":
        return {"Attribute": "Tags", "RequiresRecreation": recreation}
    return {"Attribute": "Properties", "Name": changed.name, "RequiresRecreation": recreation}


def _recreation(*, replaces: bool, dynamic: bool) -> str:
    if not replaces:
        return "Never"
    return "Conditionally" if dynamic else "Always"
