"""Calls that only look."""

from __future__ import annotations

from moto.core.responses import ActionResult

from tyrell.local.cloudformation.answers import resource_answer, stack_answer, stack_summary, without_none
from tyrell.local.cloudformation.api_base import ApiBase
from tyrell.local.cloudformation.errors import ValidationError
from tyrell.local.cloudformation.parameters import default_text
from tyrell.local.cloudformation.records import Revision, Stack
from tyrell.local.cloudformation.requests import needed_capabilities, read_template


class ReadCalls(ApiBase):
    """Describe, list, get, validate."""

    def describe_stacks(self) -> ActionResult:
        """DescribeStacks: one by name or id (deleted ones by id only), or all that exist."""
        if self._given("StackName"):
            return ActionResult({"Stacks": [stack_answer(self._stack())]})
        return self._page("Stacks", [stack_answer(stack) for stack in self.engine.store.stacks() if stack.exists])

    def list_stacks(self) -> ActionResult:
        """ListStacks: deleted ones too, optionally only those in some statuses."""
        wanted = self._given("StackStatusFilter", [])
        stacks = [stack for stack in self.engine.store.stacks() if not wanted or stack.status in wanted]
        return self._page("StackSummaries", [stack_summary(stack) for stack in stacks])

    def describe_stack_events(self) -> ActionResult:
        """DescribeStackEvents: the newest first."""
        return self._page("StackEvents", self._stack().events[::-1])

    def describe_stack_resource(self) -> ActionResult:
        """DescribeStackResource."""
        stack, name = self._stack(), self._given("LogicalResourceId")
        if name not in stack.resources:
            raise ValidationError(f"Resource {name} does not exist for stack {stack.name}")
        owner = {"StackId": stack.id, "StackName": stack.name}
        return ActionResult({"StackResourceDetail": owner | resource_answer(stack.resources[name])})

    def describe_stack_resources(self) -> ActionResult:
        """DescribeStackResources: of a stack, or of the stack that a physical id belongs to."""
        stack = self._stack() if self._given("StackName") else self._owner(self._given("PhysicalResourceId"))
        wanted = self._given("LogicalResourceId")
        owner = {"StackId": stack.id, "StackName": stack.name}
        found = [resource for resource in list(stack.resources.values()) if wanted in (None, resource.logical_id)]
        return ActionResult({"StackResources": [owner | resource_answer(resource) for resource in found]})

    def _owner(self, physical_id: str | None) -> Stack:
        for stack in self.engine.store.stacks():
            if stack.exists and any(resource.physical_id == physical_id for resource in stack.living().values()):
                return stack
        raise ValidationError(f"Stack for {physical_id} does not exist")

    def list_stack_resources(self) -> ActionResult:
        """ListStackResources."""
        resources = list(self._stack().resources.values())
        return self._page("StackResourceSummaries", [resource_answer(resource) for resource in resources])

    def get_template(self) -> ActionResult:
        """GetTemplate: the text as it was given, of a stack or a change set."""
        if self._given("ChangeSetName"):
            change_set = self.engine.store.find_change_set(self._given("ChangeSetName"), self._given("StackName"))
            revision: Revision | None = change_set.revision
        else:
            revision = self._stack().revision
        if revision is None:
            raise ValidationError(f"Stack {self._given('StackName')} has no template yet")
        return ActionResult({"TemplateBody": revision.template.body, "StagesAvailable": ["Original", "Processed"]})

    def validate_template(self) -> ActionResult:
        """ValidateTemplate: its parameters and the capabilities it needs."""
        template = read_template(self.params)
        parameters = [
            without_none(
                {
                    "ParameterKey": name,
                    "DefaultValue": default_text(entry),
                    "NoEcho": str(entry.get("NoEcho", False)).lower() == "true",
                    "Description": entry.get("Description"),
                }
            )
            for name, entry in template.parameters.items()
        ]
        facts = {"Description": template.description, "Capabilities": needed_capabilities(template) or None}
        return ActionResult({"Parameters": parameters} | without_none(facts))

    def list_exports(self) -> ActionResult:
        """ListExports."""
        exports = [
            {"ExportingStackId": stack.id, "Name": name, "Value": output.value}
            for name, (stack, output) in sorted(self.engine.store.exports().items())
        ]
        return self._page("Exports", exports)

    def list_imports(self) -> ActionResult:
        """ListImports: names of the stacks that use an export."""
        name = self._given("ExportName", "")
        if not (users := self.engine.store.importers(name)):
            raise ValidationError(f"Export '{name}' is not imported by any stack.")
        return self._page("Imports", users)
