"""The intrinsic functions and conditions of a template.

Source: AWS CloudFormation Template Reference, "Intrinsic function reference" and "Condition functions".
"""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Protocol

from tyrell.local.cloudformation.errors import ValidationError
from tyrell.local.cloudformation.references import PLACEHOLDER, Reference, attribute_reference, placeholder_reference


class Referable(Protocol):
    """A resource as seen by Ref and Fn::GetAtt."""

    @property
    def type(self) -> str: ...
    @property
    def physical_id(self) -> str: ...
    @property
    def attributes(self) -> Mapping[str, Any]: ...


class _NoValue:
    """What `Ref: AWS::NoValue` gives: the property or list entry that holds it disappears."""


NO_VALUE = _NoValue()


def _nothing_known(name: str) -> Any:
    raise ValidationError(f"Template error: {name} is unknown here.")


@dataclass(frozen=True)
class Scope:
    """Everything that the functions of one template can refer to.

    `names` holds parameters and pseudo parameters, `resources` those that exist by now; it may grow while a stack
    is being created. `find_export` and `zones` (of a region) raise ValidationError for what does not exist.
    """

    names: Mapping[str, Any]
    region: str = "us-east-1"
    mappings: Mapping[str, Any] = field(default_factory=dict)
    conditions: Mapping[str, Any] = field(default_factory=dict)
    resources: Mapping[str, Referable] = field(default_factory=dict)
    find_export: Callable[[str], str] = _nothing_known
    zones: Callable[[str], list[str]] = _nothing_known

    def resolve(self, value: Any) -> Any:
        """`value` with every function replaced by its result. Raises ValidationError saying what is wrong."""
        if isinstance(value, list):
            return [item for item in map(self.resolve, value) if item is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name in FUNCTIONS and (name != "Condition" or isinstance(argument, str)):
                return self._call(name, argument)
            if name.startswith("Fn::"):
                raise ValidationError(f"Template error: the function {name} is not supported.")
        resolved = {key: self.resolve(item) for key, item in value.items()}
        return {key: item for key, item in resolved.items() if item is not NO_VALUE}

    def _call(self, name: str, argument: Any) -> Any:
        try:
            return FUNCTIONS[name](self, argument)
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise ValidationError(f"Template error: {name} cannot work with {argument!r}.") from error

    def is_true(self, condition: str) -> bool:
        """Whether the named condition holds."""
        if condition not in self.conditions:
            raise ValidationError(f"Template format error: Unresolved condition dependency {condition}")
        return bool(self.resolve(self.conditions[condition]))

    def refer(self, reference: Reference) -> Any:
        """The value of a Ref or Fn::GetAtt."""
        if reference.name in self.names:
            return self.names[reference.name]
        if reference.name not in self.resources:
            raise ValidationError(f"Template format error: Unresolved resource dependencies [{reference.name}]")
        resource = self.resources[reference.name]
        if reference.attribute is None:
            return resource.physical_id
        if reference.attribute not in resource.attributes:
            raise ValidationError(
                f"Template error: resource {reference.name} does not support "
                f"attribute type {reference.attribute} in Fn::GetAtt"
            )
        return resource.attributes[reference.attribute]


def _text(value: Any) -> str:
    """A scalar as CloudFormation writes it into a text."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list):
        raise TypeError
    return str(value)


def _sub(scope: Scope, argument: Any) -> str:
    text, variables = argument if isinstance(argument, list) else (argument, {})
    own = {name: scope.resolve(value) for name, value in variables.items()}

    def value(name: str) -> str:
        reference = placeholder_reference(name)
        return _text(own[reference.name] if reference.name in own else scope.refer(reference))

    return PLACEHOLDER.sub(lambda found: f"${{{found[2]}}}" if found[1] else value(found[2]), text)


def _join(scope: Scope, argument: Any) -> str:
    separator, parts = argument
    return str(separator).join(_text(part) for part in scope.resolve(parts))


def _select(scope: Scope, argument: Any) -> Any:
    index, items = int(scope.resolve(argument[0])), scope.resolve(argument[1])
    if not 0 <= index < len(items):
        raise ValidationError(f"Template error: Fn::Select cannot select nonexistent value at index {index}")
    return items[index]


def _split(scope: Scope, argument: Any) -> list[str]:
    separator, text = argument
    return list(scope.resolve(text).split(separator))


def _if(scope: Scope, argument: Any) -> Any:
    condition, when_true, when_false = argument
    return scope.resolve(when_true if scope.is_true(condition) else when_false)


def _find_in_map(scope: Scope, argument: Any) -> Any:
    name, first, second = scope.resolve(argument)
    try:
        return scope.mappings[name][first][second]
    except KeyError as error:
        raise ValidationError(
            f"Template error: Unable to get mapping for {name}::{first}::{second}, no such key: {error}"
        ) from error


def _cidr(scope: Scope, argument: Any) -> list[str]:
    block, count, *bits = scope.resolve(argument)
    network = ipaddress.ip_network(block)
    subnets = network.subnets(new_prefix=network.max_prefixlen - int(bits[0] if bits else 8))
    blocks = [str(subnet) for subnet in islice(subnets, int(count))]
    if len(blocks) < int(count):
        raise ValidationError(f"Template error: Fn::Cidr cannot cut {count} blocks out of {block}")
    return blocks


def _get_azs(scope: Scope, argument: Any) -> list[str]:
    region = scope.resolve(argument) or scope.region
    return scope.zones(str(region))


def _equals(scope: Scope, argument: Any) -> bool:
    left, right = scope.resolve(argument)
    return left == right if isinstance(left, list) or isinstance(right, list) else _text(left) == _text(right)


FUNCTIONS: Mapping[str, Callable[[Scope, Any], Any]] = {
    "Ref": lambda scope, name: scope.refer(Reference(name)),
    "Fn::GetAtt": lambda scope, argument: scope.refer(attribute_reference(scope.resolve(argument))),
    "Fn::Sub": _sub,
    "Fn::Join": _join,
    "Fn::Select": _select,
    "Fn::Split": _split,
    "Fn::If": _if,
    "Fn::FindInMap": _find_in_map,
    "Fn::Base64": lambda scope, text: base64.b64encode(scope.resolve(text).encode()).decode(),
    "Fn::Cidr": _cidr,
    "Fn::GetAZs": _get_azs,
    "Fn::ImportValue": lambda scope, name: scope.find_export(scope.resolve(name)),
    "Condition": lambda scope, name: scope.is_true(name),
    "Fn::Equals": _equals,
    "Fn::And": lambda scope, conditions: all(scope.resolve(condition) for condition in conditions),
    "Fn::Or": lambda scope, conditions: any(scope.resolve(condition) for condition in conditions),
    "Fn::Not": lambda scope, conditions: not scope.resolve(conditions[0]),
}
