"""What security groups let in, and the packet filter of it in the language of nft(8).

A group has no rules for what goes out: what an instance sends is not filtered, and answers always come back in.
https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_address
from typing import Any

from tyrell.local.aws import client
from tyrell.local.settings import Settings

HOLD_AN_ADDRESS = ["pending", "running", "shutting-down", "stopping", "stopped"]
PORTS = {"tcp": "tcp", "udp": "udp", "6": "tcp", "17": "udp"}
ANY_PROTOCOL = "-1"

Members = Mapping[str, frozenset[str]]
"""The ids of security groups, by the address of an instance or a load balancer that is in them."""


def read_allowed(settings: Settings) -> dict[str, list[str]]:
    """What may come in, for the address of each instance and load balancer: expressions of nft(8), sorted."""
    groups = _every(settings, "ec2", "describe_security_groups", "SecurityGroups")
    members = _members(settings, groups)
    allowed = {group["GroupId"]: frozenset(_expressions(group, members)) for group in groups}
    return {
        address: sorted(frozenset().union(*(allowed.get(group, frozenset()) for group in of_address)))
        for address, of_address in members.items()
    }


def packet_filter(table: str, interface: str, gateway: str, allowed: Mapping[str, Sequence[str]]) -> str:
    """A script for nft(8) that has `table` let in what is allowed at each address, in one step.

    It looks at what arrives on `interface` before anything is translated, so ports that a Docker Engine publishes are
    covered. Everything from the gateway may come in: it is the operator, and the services of the cloud itself.
    """
    lines = [
        "ct state established,related accept",
        f"iifname != {interface} accept",
        f"ip saddr {gateway} accept",
    ]
    for address, expressions in sorted(allowed.items()):
        lines += [f"ip daddr {address} {expression} accept" for expression in expressions]
        lines += [f"ip daddr {address} drop"]
    chain = "\n".join(["type filter hook prerouting priority -150; policy accept;", *lines])
    body = f"chain security_groups {{\n{chain}\n}}"
    return f"table ip {table}\ndelete table ip {table}\ntable ip {table} {{\n{body}\n}}\n"


def _members(settings: Settings, groups: Sequence[Any]) -> Members:
    default_groups = {group["VpcId"]: group["GroupId"] for group in groups if group["GroupName"] == "default"}
    states = [{"Name": "instance-state-name", "Values": HOLD_AN_ADDRESS}]
    members: dict[str, frozenset[str]] = {}
    for reservation in _every(settings, "ec2", "describe_instances", "Reservations", Filters=states):
        for instance in reservation["Instances"]:
            for interface in instance["NetworkInterfaces"]:
                own = frozenset(group["GroupId"] for group in interface["Groups"])
                members[interface["PrivateIpAddress"]] = own
    for balancer in _every(settings, "elbv2", "describe_load_balancers", "LoadBalancers"):
        if _is_address(balancer["DNSName"]):
            members[balancer["DNSName"]] = frozenset(balancer["SecurityGroups"] or [default_groups[balancer["VpcId"]]])
    return members


def _expressions(group: Any, members: Members) -> Iterator[str]:
    if group["GroupName"] == "default":  # moto leaves out the one rule that it begins with on AWS
        for source in _addresses_in(group["GroupId"], members):
            yield f"ip saddr {source}"
    for permission in group["IpPermissions"]:
        sources = [entry["CidrIp"] for entry in permission["IpRanges"]]
        for pair in permission["UserIdGroupPairs"]:
            sources += _addresses_in(pair["GroupId"], members)
        for source in sources:
            yield f"ip saddr {source} {_traffic(permission)}".rstrip()


def _traffic(permission: Any) -> str:
    protocol, first = permission["IpProtocol"], permission.get("FromPort", -1)
    if protocol == ANY_PROTOCOL:
        return ""
    if protocol in PORTS and first != -1:
        return f"{PORTS[protocol]} dport {first}-{permission['ToPort']}"
    return f"ip protocol {protocol}"


def _addresses_in(group: str, members: Members) -> list[str]:
    return [address for address, groups in members.items() if group in groups]


def _every(settings: Settings, service: str, operation: str, listing: str, **wanted: Any) -> list[Any]:
    pages = client(settings, service).get_paginator(operation).paginate(**wanted)
    return [entry for page in pages for entry in page[listing]]


def _is_address(text: str) -> bool:
    """A load balancer has a name of moto's until it has its address."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
