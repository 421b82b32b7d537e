"""The one network of a cloud's containers: a Docker bridge whose gateway is this machine.

Addresses that are added to the bridge are reached from this machine and from every container; they go with the bridge.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import IPv4Network

from docker.types import IPAMConfig, IPAMPool

from tasks.errors import TyrellError, UsageError
from tyrell.local.containers.docker_engine import docker_engine, home_label
from tyrell.local.settings import Settings


class Bridge:
    """The network of one cloud; containers join it by its `name`, which is the bridge's too."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        digest = hashlib.sha256(str(settings.home.absolute()).encode()).hexdigest()
        self.name = f"tyrell-{digest[:8]}"  # a network interface's name has at most 15 characters

    def check(self) -> None:
        """Raises UsageError without root, or when the network's addresses are in use here."""
        if os.geteuid() != 0:
            raise UsageError("--machines docker gives load balancers addresses of their own: run it as root")
        for network, whose in _networks_in_use():
            if network.overlaps(self._settings.network):
                raise UsageError(
                    f"{self._settings.network} overlaps {network} of {whose}; choose another with --network"
                )

    def create(self) -> None:
        """Create the network, with the API's address. Raises docker's APIError when its addresses are in use."""
        pool = IPAMPool(subnet=str(self._settings.network), gateway=self._settings.host)
        docker_engine().networks.create(
            self.name,
            driver="bridge",
            options={"com.docker.network.bridge.name": self.name},
            ipam=IPAMConfig(pool_configs=[pool]),
            labels=home_label(self._settings),
        )

    def add(self, address: str) -> None:
        """Have this machine answer at `address` on the network; twice is fine. Raises TyrellError."""
        _ip("address", "replace", f"{address}/32", "dev", self.name)

    def remove(self, address: str) -> None:
        """Give `address` up."""
        _ip("address", "delete", f"{address}/32", "dev", self.name)


def _networks_in_use() -> Iterator[tuple[IPv4Network, str]]:
    """Docker's networks, and this machine's routes except the default ones; with whose they are."""
    for network in docker_engine().networks.list():
        for pool in (network.attrs.get("IPAM") or {}).get("Config") or []:
            with suppress(ValueError):  # IPv6
                yield IPv4Network(pool["Subnet"]), f"the Docker network {network.name}"
    for route in json.loads(_ip("-4", "-json", "route")):
        if route["dst"] != "default":
            yield IPv4Network(route["dst"]), f"the interface {route['dev']}"


def _ip(*words: str) -> str:
    """Run ip(8). Raises TyrellError with what it says."""
    try:
        return subprocess.run(["ip", *words], capture_output=True, text=True, check=True).stdout
    except FileNotFoundError:
        raise UsageError("--machines docker needs the program `ip` (package iproute2)") from None
    except subprocess.CalledProcessError as problem:
        raise TyrellError(f"`ip {' '.join(words)}` failed: {problem.stderr.strip()}") from problem
