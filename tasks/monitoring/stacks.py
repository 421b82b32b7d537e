"""CloudFormation: a metrics stack, and the attachments of Link stacks to it."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network
from typing import Any

from tasks.errors import NotFound, UsageError, no_stack
from tasks.model import Metrics, Release
from tasks.monitoring.storage import Storage
from tasks.stacks import Blueprint, CfnStack, check_ours, find_stack, find_stacks
from tasks.templates import attachment_template, metrics_template

PORT = 8086
"""InfluxDB's."""
KEEPER_PORT = 8087
GRAFANA_PORT = 3000


def no_metrics(name: str) -> NotFound:
    """There is no metrics stack of that name."""
    return NotFound(f"metrics stack {name}", f"`tyrell metrics up {name} --network NETWORK` makes it")


def find_metrics(name: str) -> CfnStack:
    """The metrics stack. Raises NotFound, UsageError when the name is something else's."""
    found = check_ours(name, "metrics")
    if found is None or "Host" not in found.outputs:
        raise no_metrics(name)
    return found


def check_metrics(metrics: Metrics) -> None:
    """Raises NotFound without its network, UsageError when the name is taken, or it is there and lies elsewhere."""
    if check_ours(metrics.network, "network") is None:
        raise NotFound(f"network {metrics.network}", f"`tyrell network {metrics.network}` makes it")
    found = check_ours(metrics.name, "metrics")
    there = found.tags.get("tyrell:network", "") if found else ""
    if there and there != metrics.network:
        raise UsageError(f"metrics stack {metrics.name} lies in network {there}; it never moves")


def find_chosen(found: CfnStack | None) -> dict[str, Any]:
    """What was chosen when that metrics stack was made, as fields of `Metrics`; nothing without one."""
    if found is None:
        return {}
    chosen = {
        "network": found.tags.get("tyrell:network"),
        "zone": found.outputs.get("Zone"),
        "open_to": tuple(IPv4Network(cidr) for cidr in filter(None, found.outputs.get("OpenTo", "").split(","))),
        "keep_days": found.outputs.get("KeepDays"),
    }
    return {field: value for field, value in chosen.items() if value}


def metrics_blueprint(metrics: Metrics, release: Release, storage: Storage, without: Iterable[str] = ()) -> Blueprint:
    """The CloudFormation stack of the metrics stack, with a machine of that image beside that volume.

    `without` are the services that the image lacks.
    """
    return Blueprint(
        name=metrics.name,
        template=metrics_template(metrics, without),
        parameters={
            "Metrics": metrics.name,
            "Network": metrics.network,
            "Image": release.ami,
            "Release": release.id,
            "Subnet": storage.subnet,
            "BackupBucket": storage.bucket,
        },
        tags={"tyrell:kind": "metrics", "tyrell:metrics": metrics.name, "tyrell:network": metrics.network},
    )


def attachment_blueprint(stack: str, metrics: str) -> Blueprint:
    """The CloudFormation stack that lets the machines of a Link stack reach the metrics stack.

    One for each, so that two that are attached at the same time do not get into each other's way.
    """
    return Blueprint(
        name=f"{metrics}-for-{stack}",
        template=attachment_template(),
        parameters={"Stack": stack, "Metrics": metrics},
        tags={"tyrell:kind": "attachment", "tyrell:metrics": metrics, "tyrell:attached": stack},
    )


def find_network(stack: str) -> str:
    """The network that the Link stack lies in. Raises NotFound without such a stack."""
    base = check_ours(stack, "base")
    if base is None:
        raise no_stack(stack)
    return base.tags["tyrell:network"]


def check_attachable(stack: str, network: str, metrics: str) -> None:
    """Whether a Link stack in that network can be attached.

    Raises NotFound without the metrics stack, UsageError when it is in another network, or the stack has another one.
    """
    there = find_metrics(metrics).tags.get("tyrell:network")
    if network != there:
        raise UsageError(
            f"stack {stack} lies in network {network} and metrics stack {metrics} in {there}:"
            " its machines could not reach it; attach it to one in its own network"
        )
    other = find_attached_to(stack)
    if other not in {"", metrics}:
        raise UsageError(f"stack {stack} is attached to metrics stack {other}; `tyrell metrics detach {stack}` first")


def find_attached_to(stack: str) -> str:
    """The metrics stack that the Link stack is attached to; empty when there is none."""
    for name in find_stacks({"tyrell:kind": "attachment", "tyrell:attached": stack}):
        if found := find_stack(name):
            return found.tags["tyrell:metrics"]
    return ""


def find_attached(metrics: str) -> tuple[str, ...]:
    """The Link stacks that are attached to the metrics stack."""
    names = find_stacks({"tyrell:kind": "attachment", "tyrell:metrics": metrics})
    return tuple(sorted(found.tags["tyrell:attached"] for found in map(find_stack, names) if found))
