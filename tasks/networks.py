"""EC2 networks: the zones a network's subnets are spread over."""

from __future__ import annotations

from itertools import cycle, islice
from typing import Any

from tasks.clients import ec2
from tasks.errors import UsageError
from tasks.model import Network
from tasks.stacks import Blueprint, CfnStack, check_ours, find_stack, find_stacks
from tasks.templates import network_template

SUBNET_PAIRS = 4


def find_zones(network: str) -> str:
    """Four zone names, comma-separated: those the network has, else the region's first ones, repeated when few."""
    found = find_stack(network)
    if found and found.parameters.get("Zones"):
        return found.parameters["Zones"]  # a network never moves to other zones
    described = ec2().describe_availability_zones(Filters=[{"Name": "state", "Values": ["available"]}])
    names = sorted(zone["ZoneName"] for zone in described["AvailabilityZones"] if zone.get("ZoneType") != "local-zone")
    return ",".join(islice(cycle(names), SUBNET_PAIRS))


def check_network(network: Network) -> None:
    """Raises UsageError when the network exists with other addresses: machines live in it, it never moves."""
    found = check_ours(network.name, "network")
    cidr = found.outputs.get("Cidr", "") if found else ""
    if cidr and cidr != str(network.cidr):
        raise UsageError(f"network {network.name} has the addresses {cidr}, not {network.cidr}; a network never moves")


def network_blueprint(network: Network, made_for: str = "") -> Blueprint:
    """The network's CloudFormation stack; it goes with the stack it is `made_for`, or with none."""
    return Blueprint(
        name=network.name,
        template=network_template(network),
        parameters={"Zones": find_zones(network.name)},
        tags={"tyrell:kind": "network", "tyrell:network": network.name, "tyrell:made-for": made_for or "all"},
    )


def find_chosen(found: CfnStack | None, cidr: str) -> dict[str, Any]:
    """What was chosen when the network of these addresses was made, as fields of `Network`; else nothing."""
    if found is None or found.outputs.get("Cidr") != cidr:
        return {}
    subnets = {"public_cidrs": "PublicCidrs", "private_cidrs": "PrivateCidrs"}
    chosen = {field: found.outputs[name].split(",") for field, name in subnets.items() if name in found.outputs}
    return chosen | ({"nat": found.outputs["Nat"]} if "Nat" in found.outputs else {})


def find_networks(stack: str) -> tuple[str, ...]:
    """The networks that go when the stack goes: the one its base lies in, and the one that was made for it.

    The second is what an earlier tear-down may have left when it was killed after the base was gone.
    """
    base = check_ours(stack, "base")
    made_for_it = find_stacks({"tyrell:kind": "network", "tyrell:made-for": stack})
    return tuple(dict.fromkeys([*([base.tags["tyrell:network"]] if base else []), *made_for_it]))
