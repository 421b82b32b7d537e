"""The tags of a resource of EC2, looked up by its id.

moto goes through the tags of all resources to find those of one, for each machine that a call filters or describes: of
a thousand machines, seconds.
"""

from __future__ import annotations

from typing import Any

from moto.ec2.models.core import TaggedEC2Resource
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE, get_prefix


def make_tags_quick() -> None:
    """Have every resource of EC2 look up its own tags only; again changes nothing."""
    setattr(TaggedEC2Resource, "get_tags", _own_tags)  # noqa: B010  mypy takes it for a bound method


def _own_tags(resource: Any) -> list[dict[str, str]]:
    name: str = resource.id
    tags = dict(resource.ec2_backend.tags.get(name, {}))
    kind = EC2_PREFIX_TO_RESOURCE.get(get_prefix(name), "") if tags else ""
    return [{"resource_id": name, "key": key, "value": value, "resource_type": kind} for key, value in tags.items()]
