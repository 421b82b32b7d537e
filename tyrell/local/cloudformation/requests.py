"""Reading what a caller asks a stack to be."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tyrell.local.cloudformation.errors import InsufficientCapabilitiesError, ValidationError
from tyrell.local.cloudformation.parameters import read_parameters
from tyrell.local.cloudformation.records import Revision
from tyrell.local.cloudformation.resources import TYPES
from tyrell.local.cloudformation.template import ResourceDefinition, Template, parse_template

STACK_NAME = re.compile(r"[a-zA-Z][-a-zA-Z0-9]{0,127}")


def check_stack_name(name: str) -> None:
    """Raise ValidationError for a name that AWS refuses."""
    if not STACK_NAME.fullmatch(name):
        raise ValidationError(
            f"1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: "
            f"Member must satisfy regular expression pattern: {STACK_NAME.pattern}"
        )


def read_template(request: Mapping[str, Any], previous: Revision | None = None) -> Template:
    """The request's template. Raises ValidationError when it has none or a wrong one."""
    if request.get("UsePreviousTemplate") and previous is not None:
        return previous.template
    if not request.get("TemplateBody"):
        raise ValidationError("Either Template URL or Template Body must be specified.")
    return parse_template(request["TemplateBody"], TYPES)


def read_revision(
    request: Mapping[str, Any], read_ssm: Callable[[str], str], previous: Revision | None = None
) -> Revision:
    """What the request asks a stack to be; parts it leaves out are taken from `previous`.

    Raises ValidationError or InsufficientCapabilitiesError.
    """
    template = read_template(request, previous)
    capabilities = tuple(request.get("Capabilities") or ())
    _check_capabilities(template, capabilities)
    given = _given_parameters(request.get("Parameters") or (), previous)
    tags = tuple(dict(tag) for tag in request.get("Tags") or ())
    return Revision(
        template=template,
        given=given,
        parameters=read_parameters(template.parameters, given, read_ssm),
        tags=tags if tags or previous is None else previous.tags,
        capabilities=capabilities,
    )


def needed_capabilities(template: Template) -> list[str]:
    """The acknowledgement that the template needs: none, CAPABILITY_IAM or CAPABILITY_NAMED_IAM."""
    resources = [entry for entry in template.resources.values() if entry.type.startswith("AWS::IAM::")]
    if not resources:
        return []
    is_named = any(_has_own_name(entry) for entry in resources)
    return ["CAPABILITY_NAMED_IAM" if is_named else "CAPABILITY_IAM"]


def _has_own_name(entry: ResourceDefinition) -> bool:
    named = TYPES[entry.type].named
    return named is not None and named.property in entry.properties


def _check_capabilities(template: Template, given: tuple[str, ...]) -> None:
    needed = needed_capabilities(template)
    if needed and not {*needed, "CAPABILITY_NAMED_IAM"} & set(given):
        raise InsufficientCapabilitiesError(f"Requires capabilities : [{needed[0]}]")


def _given_parameters(entries: Iterable[Mapping[str, Any]], previous: Revision | None) -> dict[str, str]:
    given: dict[str, str] = {}
    for entry in entries:
        name = entry["ParameterKey"]
        if not entry.get("UsePreviousValue"):
            given[name] = entry.get("ParameterValue", "")
        elif previous is None:
            raise ValidationError(f"Invalid input for parameter key {name}. Cannot specify usePreviousValue as true")
        elif name in previous.given:
            given[name] = previous.given[name]
    return given
