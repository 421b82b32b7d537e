"""The network flow: one VPC that stacks can share."""

from prefect import flow

from tasks.model import Changes, Network
from tasks.networks import check_network, find_zones
from tasks.stacks import apply_stack
from tasks.templates import network_template


@flow(name="network", flow_run_name="network {network.name}")
def create_network(network: Network, made_for: str = "") -> Changes:
    """Create the network, or bring it up to date. Returns what changed.

    Args:
        network: its name and CIDR blocks
        made_for: the stack it is created for and goes with; without it the network stays until it is deleted by name
    """
    check_network(network)
    tags = {"tyrell:kind": "network", "tyrell:network": network.name, "tyrell:made-for": made_for or "all"}
    return apply_stack(network.name, network_template(network), {"Zones": find_zones(network.name)}, tags).changes
