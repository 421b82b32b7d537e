"""What the engine knows about a type of resource: its properties, and how it is made, changed and deleted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tyrell.local.cloudformation.resources.door import Door

Properties = Mapping[str, Any]
"""Resolved properties of one resource, by CloudFormation's names."""

Tags = list[dict[str, str]]


def words(names: str) -> frozenset[str]:
    """Property names, written with spaces between."""
    return frozenset(names.split())


def pick(properties: Properties, names: str) -> dict[str, Any]:
    """Those of the named properties that are given."""
    return {name: properties[name] for name in names.split() if name in properties}


def list_tags(properties: Properties, tags: Tags) -> Properties:
    """`Tags` as a list of Key and Value, the stack's tags included; the resource's own value wins."""
    own = [{"Key": tag["Key"], "Value": str(tag["Value"])} for tag in properties.get("Tags", [])]
    named = {tag["Key"] for tag in own}
    return {**properties, "Tags": own + [tag for tag in tags if tag["Key"] not in named]}


def map_tags(properties: Properties, tags: Tags) -> Properties:
    """`Tags` as a map, the stack's tags included."""
    return {**properties, "Tags": {tag["Key"]: tag["Value"] for tag in tags} | dict(properties.get("Tags", {}))}


def delete_by(service: str, operation: str, parameter: str) -> Callable[[Door, str, Properties], object]:
    """The delete of a type whose operation takes nothing but the physical id."""

    def delete(door: Door, physical_id: str, _: Properties) -> object:
        return door.call(service, operation, **{parameter: physical_id})

    return delete


def id_as(attribute: str) -> Callable[[Door, str, Properties], Properties]:
    """Attributes that only say the physical id again."""
    return lambda _door, physical_id, _properties: {attribute: physical_id}


def same_as_given(names: str) -> Callable[[Door, str, Properties], Properties]:
    """Attributes that only repeat properties."""
    return lambda _door, _id, properties: pick(properties, names)


NO_ATTRIBUTES = same_as_given("")


@dataclass(frozen=True)
class Name:
    """The property that names a resource; CloudFormation makes one up, of at most `limit` characters, if absent."""

    property: str
    limit: int = 255
    lower: bool = False


def _configure_nothing(door: Door, physical_id: str, new: Properties, old: Properties) -> None:
    """For types that are complete once created."""


@dataclass(frozen=True)
class ResourceType:
    """One type of resource.

    `create(door, properties)` makes it and answers its physical id, the value of Ref.
    `configure(door, physical_id, new, old)` brings the `mutable` properties from `old` to `new`; it runs after
    `create` too (then `old` is empty), so that a resource that fails half way is known and rolled back.
    `attributes(door, physical_id, properties)` are the values of Fn::GetAtt.
    `delete(door, physical_id, properties)` raises whatever the service says; "not found" counts as success.
    A change of a `fixed` property needs a new resource. All other properties are unsupported.
    """

    name: str
    create: Callable[[Door, Properties], str]
    delete: Callable[[Door, str, Properties], object]
    fixed: frozenset[str] = frozenset()
    mutable: frozenset[str] = frozenset()
    required: frozenset[str] = frozenset()
    configure: Callable[[Door, str, Properties, Properties], None] = _configure_nothing
    attributes: Callable[[Door, str, Properties], Properties] = NO_ATTRIBUTES
    named: Name | None = None
    tagging: Callable[[Properties, Tags], Properties] | None = None
