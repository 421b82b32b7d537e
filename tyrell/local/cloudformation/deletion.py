"""Deleting one resource: "already gone" is success, "in use" is a reason to wait a little."""

from __future__ import annotations

import re

from botocore.exceptions import ClientError

from tyrell.local.cloudformation.errors import ResourceFailedError, is_gone
from tyrell.local.cloudformation.records import Resource
from tyrell.local.cloudformation.resources import TYPES
from tyrell.local.cloudformation.resources.door import Door

IN_USE = re.compile(r"DependencyViolation|InUse|DeleteConflict")
"""Error codes of a delete that works once something else is gone."""

IN_USE_PATIENCE = 30
"""Seconds that a delete waits for that."""


def delete_patiently(door: Door, resource: Resource) -> None:
    """Delete it. Raises ClientError as the service answers, or ResourceFailedError when a wait is over."""
    kind = TYPES[resource.type]
    in_the_way: list[ClientError] = []

    def is_deleted() -> bool:
        try:
            kind.delete(door, resource.physical_id, resource.properties)
        except ClientError as error:
            if is_gone(error):
                return True
            if not IN_USE.search(str(error.response["Error"].get("Code"))):
                raise
            in_the_way.append(error)
            return False
        return True

    try:
        door.wait_until(f"{resource.physical_id} is not in use", is_deleted, IN_USE_PATIENCE)
    except ResourceFailedError:
        if in_the_way:
            raise in_the_way[-1] from None  # says more than that time is up
        raise
