"""The address of a load balancer: a network interface in its first subnet, as Elastic Load Balancing has them."""

from __future__ import annotations

import threading
from ipaddress import IPv4Address, IPv4Network
from typing import Protocol

from tyrell.local.aws import client
from tyrell.local.settings import Settings


class Interface(Protocol):
    """What makes an address one of this machine's. Loopback addresses are that already."""

    def add(self, address: str) -> None:
        """Have this machine answer at `address`."""

    def remove(self, address: str) -> None:
        """Give `address` up."""


class Addresses:
    """Network interfaces of load balancers, created and deleted through EC2; each is known by its description."""

    def __init__(self, settings: Settings, interface: Interface | None = None) -> None:
        self._settings = settings
        self._interface = interface
        self._choosing = threading.Lock()

    def assign(self, arn: str, subnet_id: str) -> str:
        """Create the interface of the load balancer `arn`; its private IP address.

        The address comes from the upper end of the subnet: moto gives instances theirs from the lower end and does
        not look at the interfaces of others. Raises ValueError when the subnet is full, or outside the cloud's network.
        """
        ec2 = client(self._settings, "ec2")
        with self._choosing:
            subnet = ec2.describe_subnets(SubnetIds=[subnet_id])["Subnets"][0]
            if not IPv4Network(subnet["CidrBlock"]).subnet_of(self._settings.network):
                raise ValueError(
                    f"Subnet {subnet_id} ({subnet['CidrBlock']}) is outside the network of the embedded cloud, "
                    f"{self._settings.network}, so no load balancer can listen there"
                )
            in_subnet = [{"Name": "subnet-id", "Values": [subnet_id]}]
            interfaces = ec2.describe_network_interfaces(Filters=in_subnet)["NetworkInterfaces"]
            taken = {interface["PrivateIpAddress"] for interface in interfaces}
            address = _highest_free(IPv4Network(subnet["CidrBlock"]), taken)
            ec2.create_network_interface(
                SubnetId=subnet_id, PrivateIpAddress=address, Description=interface_description(arn)
            )
            if self._interface:
                self._interface.add(address)
        return address

    def release(self, arn: str) -> None:
        """Delete the interface of a load balancer that is gone; none left is fine."""
        ec2 = client(self._settings, "ec2")
        known_by = [{"Name": "description", "Values": [interface_description(arn)]}]
        for interface in ec2.describe_network_interfaces(Filters=known_by)["NetworkInterfaces"]:
            if self._interface:
                self._interface.remove(interface["PrivateIpAddress"])
            ec2.delete_network_interface(NetworkInterfaceId=interface["NetworkInterfaceId"])


def interface_description(arn: str) -> str:
    """How AWS describes the interfaces of a load balancer: "ELB app/<name>/<id>"."""
    return f"ELB {arn.partition(':loadbalancer/')[2]}"


def _highest_free(network: IPv4Network, taken: set[str]) -> str:
    for number in range(int(network.broadcast_address) - 1, int(network.network_address) + 3, -1):
        address = str(IPv4Address(number))
        if address not in taken:
            return address
    raise ValueError(f"Subnet {network} has no free address for a load balancer")
