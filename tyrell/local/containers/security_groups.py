"""What security groups let in, and the packet filter of it in the language of nft(8).

A group has no say in what goes out here: what an instance sends is not filtered, and answers always come back in.
https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_address
from typing import Any

from moto.backends import get_backend
from moto.ec2.models import ec2_backends

from tyrell.local.machines.records import LOCK
from tyrell.local.settings import ACCOUNT, Settings

Members = Mapping[str, frozenset[str]]
"""The ids of security groups, by the address of an instance or a load balancer that is in them."""


def read_allowed(settings: Settings) -> dict[str, list[str]]:
    """What may come in, for the address of each instance and load balancer: expressions of nft(8), sorted.

    Straight from moto's records: twice a second through the API would keep a small computer busy.
    """
    with LOCK:
        backend: Any = ec2_backends[ACCOUNT][settings.region]
        groups = [group for of_vpc in backend.groups.values() for group in of_vpc.values()]
        members = _members(settings, backend, {group.vpc_id: group.id for group in groups if group.is_default})
        allowed = {group.id: frozenset(_expressions(group, members)) for group in groups}
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


def _members(settings: Settings, backend: Any, default_groups: Mapping[str, str]) -> Members:
    """A load balancer that names no group is in the default one of its VPC, as moto puts instances there."""
    members: dict[str, frozenset[str]] = {}
    for reservation in backend.reservations.values():
        for instance in reservation.instances:
            if instance.state != "terminated":  # such a one's address may be another's by now
                for interface in instance.nics.values():
                    members[interface.private_ip_address] = frozenset(group.id for group in interface.group_set)
    for balancer in list(get_backend("elbv2")[ACCOUNT][settings.region].load_balancers.values()):
        if _is_address(balancer.dns_name):
            members[balancer.dns_name] = frozenset(balancer.security_groups or [default_groups[balancer.vpc_id]])
    return members


def _expressions(group: Any, members: Members) -> Iterator[str]:
    if group.is_default:  # moto leaves out the one rule that it begins with on AWS
        for source in _addresses_in(group.id, members):
            yield f"ip saddr {source}"
    for rule in group.ingress_rules:
        source_group = rule.source_group.get("GroupId")
        for source in _addresses_in(source_group, members) if source_group else filter(None, [rule.cidr_ipv4]):
            yield f"ip saddr {source} {_traffic(rule)}".rstrip()


def _traffic(rule: Any) -> str:
    if rule.ip_protocol == "-1":
        return ""
    if rule.ip_protocol in ("tcp", "udp") and rule.from_port != -1:
        return f"{rule.ip_protocol} dport {rule.from_port}-{rule.to_port}"
    return f"ip protocol {rule.ip_protocol}"


def _addresses_in(group: str, members: Members) -> list[str]:
    return [address for address, groups in members.items() if group in groups]


def _is_address(text: str) -> bool:
    """A load balancer has a name of moto's until it has its address."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
