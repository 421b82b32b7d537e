"""Where a machine image is baked: a public subnet of one of our networks, and who may reach the instance there."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv4Network
from typing import Literal

import httpx

from tasks.clients import ec2, http_text
from tasks.errors import NotFound, TyrellError, UsageError
from tasks.model import Noun
from tasks.stacks import find_stack, find_stacks

USUAL = "demo-network"
WHO_AM_I = "https://checkip.amazonaws.com"
"""Answers with the public address of whoever asks."""
ANYWHERE = "198.51.100.0/24"
"""Documentation addresses (RFC 5737): only the default route leads there."""


class Place(Noun):
    """A subnet to bake in, and the way from here to its instances."""

    vpc: str
    subnet: str
    caller: IPv4Address
    """Our own address, as they see it; nobody else may reach them."""
    interface: Literal["public_ip", "private_ip"]
    """Which address of theirs we reach."""


def find_place(network: str = "", caller: IPv4Address | None = None) -> Place:
    """The first public subnet of the network, by default the only one there is, or the demo's.

    From a machine with a way of its own to the network (in the VPC, by a VPN, or beside an embedded cloud) instances
    are reached at their private address, else at the public one. `caller` says who we are when we cannot know.
    Raises NotFound, UsageError; TyrellError when nobody tells our public address.
    """
    found = find_stack(network or _only_network())
    if found is None or "PublicSubnets" not in found.outputs:
        raise NotFound(f"network {network}", "`tyrell network NAME` makes one")
    subnet = found.outputs["PublicSubnets"].split(",")[0]
    inside = _source_address(ec2().describe_subnets(SubnetIds=[subnet])["Subnets"][0]["CidrBlock"])
    near = inside in IPv4Network(found.outputs["Cidr"]) or inside != _source_address(ANYWHERE)
    return Place(
        vpc=found.outputs["Vpc"],
        subnet=subnet,
        caller=caller or (inside if near else _public_address()),
        interface="private_ip" if near else "public_ip",
    )


def _only_network() -> str:
    names = find_stacks({"tyrell:kind": "network"})
    if not names:
        raise NotFound("a network to bake in", "`tyrell network NAME` makes one")
    if len(names) > 1 and USUAL not in names:
        raise UsageError(f"there are networks {', '.join(names)}; say in which to bake with --network")
    return USUAL if USUAL in names else names[0]


def _source_address(cidr: str) -> IPv4Address:
    """The address that this machine has in the eyes of its routes to `cidr`; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((str(IPv4Network(cidr)[1]), 9))
        return IPv4Address(probe.getsockname()[0])


def _public_address() -> IPv4Address:
    try:
        return IPv4Address(http_text(WHO_AM_I).strip())
    except (httpx.HTTPError, ValueError) as error:
        raise TyrellError(f"{WHO_AM_I} does not say our public address ({error}); give it with --ssh-from") from None
