"""What a revision means for one stack: its active resources, their resolved properties, and the outputs."""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from tyrell.local.cloudformation.cloud import Cloud
from tyrell.local.cloudformation.errors import ResourceFailedError, ValidationError
from tyrell.local.cloudformation.functions import NO_VALUE, Scope
from tyrell.local.cloudformation.records import Output, Resource, Revision, Stack, Tag
from tyrell.local.cloudformation.resources import TYPES
from tyrell.local.cloudformation.resources.resource_type import Name, ResourceType
from tyrell.local.cloudformation.store import Store
from tyrell.local.cloudformation.template import ResourceDefinition
from tyrell.local.settings import ACCOUNT

RANDOM = 12
"""Characters at the end of a generated name."""


class Plan:
    """A revision seen from a stack. `imports` collects the exports that were used while resolving."""

    def __init__(self, stack: Stack, revision: Revision, cloud: Cloud) -> None:
        self.stack = stack
        self.revision = revision
        self.imports: set[str] = set()
        self._store = cloud.store
        template = revision.template
        self.scope = Scope(
            names={**revision.parameters, **_pseudo_parameters(stack, cloud.settings.region)},
            region=cloud.settings.region,
            zones=cloud.zones,
            mappings=template.mappings,
            conditions=template.conditions,
            resources=stack.resources,
            find_export=self._find_export,
        )

    @cached_property
    def definitions(self) -> dict[str, ResourceDefinition]:
        """The resources whose condition holds."""
        entries = self.revision.template.resources
        return {name: entry for name, entry in entries.items() if self._holds(entry.condition)}

    @cached_property
    def graph(self) -> dict[str, frozenset[str]]:
        """The active resources, each with those it depends on."""
        active = self.definitions.keys()
        return {name: entry.dependencies & active for name, entry in self.definitions.items()}

    def draft(self, definition: ResourceDefinition) -> Resource:
        """The resource with nothing resolved yet: enough to report that it has begun."""
        return Resource(
            logical_id=definition.logical_id,
            type=definition.type,
            dependencies=self.graph[definition.logical_id],
            deletion_policy=definition.deletion_policy,
            update_replace_policy=definition.update_replace_policy,
        )

    def complete(
        self, definition: ResourceDefinition, properties: Mapping[str, Any], current: Resource | None
    ) -> tuple[dict[str, Any], bool]:
        """Resolved properties with the generated name (whether there is one is the second answer) and all tags.

        Raises ResourceFailedError for a property that the type does not have or that it lacks.
        """
        kind = TYPES[definition.type]
        _check_properties(kind, definition.logical_id, properties)
        completed, name = dict(properties), kind.named
        generated = name is not None and name.property not in completed
        if name and generated:
            kept = current.properties[name.property] if current and current.generated_name else None
            completed[name.property] = kept or new_name(self.stack.name, definition.logical_id, name)
        if kind.tagging:
            completed = dict(kind.tagging(completed, self._tags(definition.logical_id)))
        return completed, generated

    def resolve(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        """Properties with every function replaced by its result."""
        resolved = {name: self.scope.resolve(value) for name, value in properties.items()}
        return {name: value for name, value in resolved.items() if value is not NO_VALUE}

    def outputs(self) -> tuple[Output, ...]:
        """The outputs. Raises ValidationError when an export is taken or one in use would change."""
        declared = self.revision.template.outputs
        outputs = tuple(
            self._output(key, entry) for key, entry in declared.items() if self._holds(entry.get("Condition"))
        )
        self._check_exports({output.export: output.value for output in outputs if output.export})
        return outputs

    def _output(self, key: str, entry: Mapping[str, Any]) -> Output:
        value = self.scope.resolve(entry["Value"])
        if isinstance(value, dict | list):
            raise ValidationError(f"Template format error: Output {key} is malformed: its value must be a string.")
        name = self.scope.resolve(entry["Export"]["Name"]) if "Export" in entry else None
        text = str(value).lower() if isinstance(value, bool) else str(value)
        return Output(key, text, entry.get("Description"), None if name is None else str(name))

    def _check_exports(self, wanted: Mapping[str, str]) -> None:
        for name, (stack, _) in self._store.exports().items():
            if name in wanted and stack is not self.stack:
                raise ValidationError(f"Export with name {name} is already exported by stack {stack.name}")
        for output in self.stack.outputs:
            if output.export and wanted.get(output.export) != output.value:
                refuse_if_in_use(self._store, output.export, "updated" if output.export in wanted else "deleted")

    def _holds(self, condition: str | None) -> bool:
        return condition is None or self.scope.is_true(condition)

    def _find_export(self, name: str) -> str:
        exports = self._store.exports()
        if name not in exports:
            raise ValidationError(f"No export named {name} found.")
        self.imports.add(name)
        return exports[name][1].value

    def _tags(self, logical_id: str) -> list[dict[str, str]]:
        own = {"stack-name": self.stack.name, "stack-id": self.stack.id, "logical-id": logical_id}
        system: list[Tag] = [{"Key": f"aws:cloudformation:{key}", "Value": value} for key, value in own.items()]
        return [dict(tag) for tag in [*self.revision.tags, *system]]


def refuse_if_in_use(store: Store, export: str, what: str) -> None:
    """Raise ValidationError when another stack imports `export`; `what` would be done to it: updated or deleted."""
    if users := store.importers(export):
        raise ValidationError(f"Export {export} cannot be {what} as it is in use by {', '.join(users)}")


def new_name(stack: str, logical_id: str, name: Name) -> str:
    """`<stack>-<LogicalId>-<random>`, cut from the middle of its parts when longer than the type allows."""
    room = name.limit - RANDOM - 1
    start = f"{stack}-{logical_id}"
    if len(start) > room:
        start = f"{stack[: room // 2].rstrip('-')}-{logical_id}"[:room]
    random = "".join(secrets.choice(string.ascii_uppercase + string.digits) for _ in range(RANDOM))
    whole = f"{start}-{random}"
    return whole.lower() if name.lower else whole


def _check_properties(kind: ResourceType, logical_id: str, properties: Mapping[str, Any]) -> None:
    where = f"(resource {logical_id} of type {kind.name})"
    if unknown := sorted(properties.keys() - kind.fixed - kind.mutable):
        raise ResourceFailedError(f"Encountered unsupported property {unknown[0]} {where}")
    if missing := sorted(kind.required - properties.keys()):
        raise ResourceFailedError(f"Properties validation failed: required key [{missing[0]}] not found {where}")


def _pseudo_parameters(stack: Stack, region: str) -> dict[str, Any]:
    return {
        "AWS::AccountId": ACCOUNT,
        "AWS::NoValue": NO_VALUE,
        "AWS::NotificationARNs": [],
        "AWS::Partition": "aws",
        "AWS::Region": region,
        "AWS::StackId": stack.id,
        "AWS::StackName": stack.name,
        "AWS::URLSuffix": "amazonaws.com",
    }
