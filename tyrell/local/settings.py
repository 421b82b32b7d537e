"""What one embedded cloud is made of: addresses, region and the folder it lives in."""

from __future__ import annotations

from ipaddress import IPv4Network
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

ACCOUNT = "123456789012"
"""The account id that moto gives every caller."""


LOOPBACK = IPv4Network("127.0.0.0/8")
RESERVED = IPv4Network("127.0.0.0/16")
PRIVATE = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))
"""RFC 1918."""
SMALLEST = 24

MachineKind = Literal["processes", "docker"]
NETWORKS: dict[MachineKind, IPv4Network] = {
    "processes": IPv4Network("127.20.0.0/16"),
    "docker": IPv4Network("10.77.0.0/16"),
}


def _usual_network(given: dict[str, Any]) -> IPv4Network:
    return NETWORKS[given.get("machines", "processes")]


class Settings(BaseModel):
    """Settings of one embedded cloud. Two clouds on one machine need other homes, ports and networks.

    `home` holds everything the cloud keeps: records of its processes, instance folders, logs.
    `machines` is what an instance is: a group of processes on loopback addresses, or a Docker container.
    `network` is what its VPCs are cut from. For processes it is a part of the loopback range: on Linux any address in
    127.0.0.0/8 can be bound without configuration and without root. For containers it is a private network, which
    becomes one Docker network.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    home: Path
    port: int = 15100
    region: str = "us-east-1"
    machines: MachineKind = "processes"
    network: IPv4Network = Field(default_factory=_usual_network)

    @field_validator("network")
    @classmethod
    def can_be_used(cls, network: IPv4Network, others: ValidationInfo) -> IPv4Network:
        """127.0.0.0/16 belongs to this machine's own programs; addresses that are not private to the internet."""
        if others.data.get("machines") == "docker":
            if not any(network.subnet_of(private) for private in PRIVATE):
                raise ValueError(f"{network} is not a private network (RFC 1918); for example {NETWORKS['docker']}")
        elif not network.subnet_of(LOOPBACK) or network.overlaps(RESERVED):
            raise ValueError(f"{network} is not a part of {LOOPBACK} outside {RESERVED}; for example 127.20.0.0/16")
        if network.prefixlen > SMALLEST:
            raise ValueError(f"{network} is too small: a network needs a /{SMALLEST} at least")
        return network

    @property
    def host(self) -> str:
        """The address of the AWS API, the same for this machine and for instances: a Docker network's gateway is both.

        No VPC uses it: AWS keeps the first four addresses of a subnet, https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html
        """
        return "127.0.0.1" if self.machines == "processes" else str(self.network[1])

    @property
    def reachable(self) -> IPv4Network:
        """Where a VPC has to lie, or nothing could reach its addresses."""
        return LOOPBACK if self.machines == "processes" else self.network

    @property
    def endpoint(self) -> str:
        """The URL that every AWS client of this cloud uses."""
        return f"http://{self.host}:{self.port}"

    @property
    def instances(self) -> Path:
        """One folder per instance: its root file system and its console output."""
        return self.home / "instances"

    @property
    def volumes(self) -> Path:
        """One folder per EBS volume: its data."""
        return self.home / "volumes"

    @property
    def logs(self) -> Path:
        """Log files of the cloud's own processes."""
        return self.home / "logs"
