"""Where a stack's etcd is now."""

from __future__ import annotations

from tasks.etcd import Etcd
from tasks.groups import find_addresses
from tasks.roles import load_role

CORE_SERVICES = "core-services"


def find_etcd(stack: str) -> Etcd:
    """The stack's etcd, at the addresses its running core-services machines have now; it may have none yet."""
    members = {"tag:tyrell:stack": [stack], "tag:tyrell:role": [CORE_SERVICES], "instance-state-name": ["running"]}
    addresses = tuple(find_addresses(members).values())
    return Etcd(stack, addresses, load_role(CORE_SERVICES).health.port)
