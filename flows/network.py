"""The network flow: one VPC that stacks can share."""

from prefect import flow

from tasks.applying import apply_stack
from tasks.model import Changes, Network
from tasks.networks import check_network, network_blueprint
from tasks.run_list import tag_run


@flow(name="network", flow_run_name="network {network.name}", on_running=[tag_run])
def create_network(network: Network, made_for: str = "") -> Changes:
    """Create the network, or bring it up to date. Returns what changed.

    Args:
        network: its name and CIDR blocks
        made_for: the stack it is created for and goes with; without it the network stays until it is deleted by name
    """
    check_network(network)
    return apply_stack(network_blueprint(network, made_for))
