"""Where a stack's etcd is now."""

from __future__ import annotations

import time

from tasks.clients import on_forget
from tasks.etcd import Etcd
from tasks.groups import find_addresses
from tasks.roles import load_role

CORE_SERVICES = "core-services"


REMEMBERED = 5.0
"""Seconds for which the members' addresses are remembered: of three, two would have to go meanwhile."""

_known: dict[str, tuple[float, tuple[str, ...]]] = {}
on_forget(_known.clear)


def find_etcd(stack: str) -> Etcd:
    """The stack's etcd, at the addresses that its running core-services machines have; it may have none yet."""
    looked, addresses = _known.get(stack, (0.0, ()))
    if not addresses or time.monotonic() - looked > REMEMBERED:
        members = {"tag:tyrell:stack": [stack], "tag:tyrell:role": [CORE_SERVICES], "instance-state-name": ["running"]}
        addresses = tuple(find_addresses(members).values())
        _known[stack] = (time.monotonic(), addresses)
    return Etcd(stack, addresses, load_role(CORE_SERVICES).health.port)
