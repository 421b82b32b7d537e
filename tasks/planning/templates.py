"""What a CloudFormation template holds: how many resources, and which of them are paid for by the hour. Pure."""

from __future__ import annotations

from typing import Any

import yaml

from tasks.planning.plan import Items, added

BALANCER, NAT, ADDRESS, DISK = "load balancer", "NAT gateway", "public IPv4 address", "GiB of gp3"
"""As the price table calls them."""
ZONES = 4
"""A balancer that faces the internet has a public address in each."""


class _Loader(yaml.SafeLoader):
    """Safe YAML in which CloudFormation's short tags are passed over: no resource's type or scheme is a function."""


def _argument(loader: _Loader, _name: str, node: yaml.Node) -> Any:
    match node:
        case yaml.ScalarNode():
            return loader.construct_scalar(node)
        case yaml.SequenceNode():
            return loader.construct_sequence(node, deep=True)
        case yaml.MappingNode():
            return loader.construct_mapping(node, deep=True)


_Loader.add_multi_constructor("!", _argument)


def resources_of(body: str) -> dict[str, dict[str, Any]]:
    """The template's resources by logical id."""
    document = yaml.load(body, _Loader)  # noqa: S506  a SafeLoader
    return dict(document["Resources"])


def items_of(body: str) -> Items:
    """What of the template's resources is paid for by the hour; machines are their group's, which is born empty."""
    return added(*map(_items, resources_of(body).values()))


def _items(resource: dict[str, Any]) -> Items:
    match resource["Type"]:
        case "AWS::ElasticLoadBalancingV2::LoadBalancer":
            faces_internet = resource["Properties"].get("Scheme") != "internal"
            return {BALANCER: 1, ADDRESS: ZONES if faces_internet else 0}
        case "AWS::EC2::NatGateway":
            return {NAT: 1}
        case "AWS::EC2::EIP":
            return {ADDRESS: 1}
    return {}
