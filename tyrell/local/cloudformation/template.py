"""A template's text as data: YAML (with the short function tags) or JSON, its sections, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tyrell.local.cloudformation.document import load
from tyrell.local.cloudformation.errors import ValidationError
from tyrell.local.cloudformation.graph import find_cycle
from tyrell.local.cloudformation.references import references

SECTIONS = {"AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Mappings", "Conditions"} | {
    "Resources",
    "Outputs",
}
ATTRIBUTES = {"Type", "Properties", "DependsOn", "Condition", "DeletionPolicy", "UpdateReplacePolicy", "Metadata"}
PSEUDO_PARAMETERS = {
    f"AWS::{name}"
    for name in ("AccountId", "NoValue", "NotificationARNs", "Partition", "Region", "StackId", "StackName", "URLSuffix")
}
MAX_BODY = 51_200
"""Bytes of a TemplateBody (AWS CloudFormation User Guide, "CloudFormation quotas")."""


@dataclass(frozen=True)
class ResourceDefinition:
    """One entry of the Resources section."""

    logical_id: str
    type: str
    properties: Mapping[str, Any]
    depends_on: tuple[str, ...]
    condition: str | None
    deletion_policy: str
    update_replace_policy: str

    @cached_property
    def dependencies(self) -> frozenset[str]:
        """Names this resource refers to or waits for; parameters are among them."""
        named = {reference.name for reference in references(dict(self.properties))}
        return frozenset(named | set(self.depends_on))


@dataclass(frozen=True)
class Template:
    """A parsed and checked template; `body` is the text it came from."""

    body: str
    description: str | None
    parameters: Mapping[str, Mapping[str, Any]]
    mappings: Mapping[str, Any]
    conditions: Mapping[str, Any]
    resources: Mapping[str, ResourceDefinition]
    outputs: Mapping[str, Mapping[str, Any]]


def parse_template(body: str, known_types: Container[str]) -> Template:
    """The template in `body`.

    Raises ValidationError, worded as AWS does, for text that is no YAML or JSON, unknown sections, types that are
    not in `known_types`, names that nothing defines, and circular dependencies.
    """
    if len(body.encode()) > MAX_BODY:
        raise ValidationError(f"The template is longer than {MAX_BODY} bytes, the limit of TemplateBody.")
    document = load(body)
    if unknown := sorted(document.keys() - SECTIONS):
        raise ValidationError(f"Invalid template property or properties [{', '.join(unknown)}]")
    if not document.get("Resources"):
        raise ValidationError("Template format error: At least one Resources member must be defined.")
    template = Template(
        body=body,
        description=document.get("Description"),
        parameters=_section(document, "Parameters"),
        mappings=_section(document, "Mappings"),
        conditions=_section(document, "Conditions"),
        resources={name: _resource(name, entry) for name, entry in _section(document, "Resources").items()},
        outputs=_section(document, "Outputs"),
    )
    _check_types(template, known_types)
    _check_names(template)
    _check_cycles(template)
    return template


def _section(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    section = document.get(name) or {}
    if not isinstance(section, dict):
        raise ValidationError(f"Template format error: {name} must be a map.")
    for key, entry in section.items():
        if name != "Conditions" and not isinstance(entry, dict):
            raise ValidationError(f"Template format error: [/{name}/{key}] must be an object.")
    return section


def _resource(logical_id: str, entry: Mapping[str, Any]) -> ResourceDefinition:
    if not logical_id.isalnum():
        raise ValidationError(f"Template format error: Resource name {logical_id} is non alphanumeric.")
    if "Type" not in entry:
        raise ValidationError(
            f"Template format error: [/Resources/{logical_id}] Every Resources object must contain a Type member."
        )
    if unknown := sorted(entry.keys() - ATTRIBUTES):
        raise ValidationError(f"Invalid template resource property '{unknown[0]}' of resource {logical_id}")
    depends_on = entry.get("DependsOn") or ()
    deletion_policy = entry.get("DeletionPolicy", "Delete")
    replace_policy = entry.get("UpdateReplacePolicy", "Delete")
    for policy in (deletion_policy, replace_policy):
        if policy not in ("Delete", "Retain", "RetainExceptOnCreate"):
            raise ValidationError(
                f"Template format error: Unrecognized policy {policy} of resource {logical_id}; use Delete or Retain."
            )
    return ResourceDefinition(
        logical_id=logical_id,
        type=entry["Type"],
        properties=entry.get("Properties") or {},
        depends_on=(depends_on,) if isinstance(depends_on, str) else tuple(depends_on),
        condition=entry.get("Condition"),
        deletion_policy=deletion_policy,
        update_replace_policy=replace_policy,
    )


def _check_types(template: Template, known_types: Container[str]) -> None:
    unknown = sorted({entry.type for entry in template.resources.values() if entry.type not in known_types})
    if unknown:
        raise ValidationError(f"Template format error: Unrecognized resource types: [{', '.join(unknown)}]")


def _check_names(template: Template) -> None:
    known = PSEUDO_PARAMETERS | set(template.parameters) | set(template.resources)
    needed = {name for entry in template.resources.values() for name in entry.dependencies}
    _refuse_unresolved(needed - known, "Resources")
    _refuse_unresolved({reference.name for reference in references(dict(template.outputs))} - known, "Outputs")
    conditions = [entry.condition for entry in template.resources.values()]
    conditions += [output.get("Condition") for output in template.outputs.values()]
    for name in filter(None, conditions):
        if name not in template.conditions:
            raise ValidationError(f"Template format error: Unresolved condition dependency {name}")


def _refuse_unresolved(names: Iterable[str], block: str) -> None:
    if listed := ", ".join(sorted(names)):
        raise ValidationError(
            f"Template format error: Unresolved resource dependencies [{listed}] in the {block} block of the template"
        )


def _check_cycles(template: Template) -> None:
    graph = {name: entry.dependencies & template.resources.keys() for name, entry in template.resources.items()}
    if cycle := find_cycle(graph):
        raise ValidationError(f"Circular dependency between resources: [{', '.join(cycle)}]")
