"""Tags of groups. Propagated ones are put on instances at their launch only, as on AWS."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult

from tyrell.local.autoscaling.api.base import Operations
from tyrell.local.autoscaling.api.present import tag_view
from tyrell.local.autoscaling.api.requests import new_tag
from tyrell.local.autoscaling.errors import ValidationError

_FILTERS = {
    "auto-scaling-group": "ResourceId",
    "key": "Key",
    "value": "Value",
    "propagate-at-launch": "PropagateAtLaunch",
}


class TagOperations(Operations):
    """The operations on tags."""

    def create_or_update_tags(self) -> ActionResult:
        """CreateOrUpdateTags of one or several groups: all or none."""
        pairs = [(self.groups.to_change(tag["ResourceId"]), new_tag(tag)) for tag in self.params["Tags"]]
        for group, tag in pairs:
            group.tags[tag.key] = tag
        return ActionResult({})

    def delete_tags(self) -> ActionResult:
        """DeleteTags; fine when they are not there."""
        pairs = [(self.groups.to_change(tag["ResourceId"]), tag["Key"]) for tag in self.params["Tags"]]
        for group, key in pairs:
            group.tags.pop(key, None)
        return ActionResult({})

    def describe_tags(self) -> ActionResult:
        """DescribeTags, filtered by group, key, value or propagation."""
        views = [tag_view(group, tag) for group in self.groups.all() for tag in group.tags.values()]
        for wanted in self.params.get("Filters", []):
            views = [view for view in views if _passes(view, wanted)]
        page, token = self.page(views)
        return ActionResult({"Tags": page, **token})


def _passes(view: dict[str, Any], wanted: dict[str, Any]) -> bool:
    if wanted["Name"] not in _FILTERS:
        raise ValidationError(f"Invalid filter: {wanted['Name']}; use one of {', '.join(_FILTERS)}")
    value = view[_FILTERS[wanted["Name"]]]
    shown = str(value).lower() if isinstance(value, bool) else value
    return shown in wanted.get("Values", [])
