"""What one embedded cloud is made of: addresses, region and the folder it lives in."""

from __future__ import annotations

from ipaddress import IPv4Network
from pathlib import Path

from pydantic import BaseModel, ConfigDict, field_validator

ACCOUNT = "123456789012"
"""The account id that moto gives every caller."""


LOOPBACK = IPv4Network("127.0.0.0/8")
RESERVED = IPv4Network("127.0.0.0/16")
SMALLEST = 24


class Settings(BaseModel):
    """Settings of one embedded cloud. Two clouds on one machine need other homes, ports and networks.

    `home` holds everything the cloud keeps: records of its processes, instance folders, logs.
    `network` is the part of the loopback range that its VPCs are cut from; on Linux any address in
    127.0.0.0/8 can be bound without configuration and without root.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    home: Path
    host: str = "127.0.0.1"
    port: int = 15100
    region: str = "us-east-1"
    network: IPv4Network = IPv4Network("127.20.0.0/16")

    @field_validator("network")
    @classmethod
    def can_be_bound(cls, network: IPv4Network) -> IPv4Network:
        """Only loopback addresses can be used without configuration; 127.0.0.0/16 belongs to the machine's own."""
        if not network.subnet_of(LOOPBACK) or network.overlaps(RESERVED):
            raise ValueError(f"{network} is not a part of {LOOPBACK} outside {RESERVED}; for example 127.20.0.0/16")
        if network.prefixlen > SMALLEST:
            raise ValueError(f"{network} is too small: a network needs a /{SMALLEST} at least")
        return network

    @property
    def endpoint(self) -> str:
        """The URL that every AWS client of this cloud uses."""
        return f"http://{self.host}:{self.port}"

    @property
    def instances(self) -> Path:
        """One folder per instance: its root file system and its console output."""
        return self.home / "instances"

    @property
    def logs(self) -> Path:
        """Log files of the cloud's own processes."""
        return self.home / "logs"
