"""EC2 networks: the zones a network's subnets are spread over."""

from __future__ import annotations

from itertools import cycle, islice

from tasks.clients import ec2
from tasks.stacks import find_stack

SUBNET_PAIRS = 4


def find_zones(network: str) -> str:
    """Four zone names, comma-separated: those the network has, else the region's first ones, repeated when few."""
    found = find_stack(network)
    if found and found.parameters.get("Zones"):
        return found.parameters["Zones"]  # a network never moves to other zones
    described = ec2().describe_availability_zones(Filters=[{"Name": "state", "Values": ["available"]}])
    names = sorted(zone["ZoneName"] for zone in described["AvailabilityZones"] if zone.get("ZoneType") != "local-zone")
    return ",".join(islice(cycle(names), SUBNET_PAIRS))
