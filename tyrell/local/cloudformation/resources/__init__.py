"""The types of resources a template may have."""

from __future__ import annotations

from collections.abc import Mapping

from tyrell.local.cloudformation.resources import (
    balancing,
    compute,
    dns,
    iam,
    logs,
    network,
    parameters,
    queues,
    routing,
    scaling,
    security,
    storage,
    volumes,
)
from tyrell.local.cloudformation.resources.resource_type import ResourceType

TYPES: Mapping[str, ResourceType] = {
    kind.name: kind
    for module in (
        *(network, routing, security, compute, volumes, balancing, scaling),
        *(iam, queues, storage, parameters, logs, dns),
    )
    for kind in module.TYPES
}
"""Every supported type by its CloudFormation name."""
