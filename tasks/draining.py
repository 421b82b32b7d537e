"""Moving open connections off a version that gets no new ones, so gently that each client just connects again."""

from __future__ import annotations

import logging
from datetime import timedelta
from functools import partial

import httpx

from tasks.clients import http_client
from tasks.errors import Expired
from tasks.groups import find_group
from tasks.model import Machine, Patience, Version
from tasks.registry import Member, find_members, find_peers
from tasks.role_parts import ByLoadBalancer, ByRegistry
from tasks.roles import Role
from tasks.steps import in_parallel, step
from tasks.waits import NotYet, pause, wait_until

logger = logging.getLogger(__name__)

SLACK = timedelta(seconds=30)
"""On top of what the rate allows for."""


@step("move the connections off {version.role} {version.id}", system="drain")
def move_connections(version: Version, role: Role, rate: float) -> None:
    """Have the members of a version that is not live give up their WebSockets, `rate` of them a second.

    Best effort: what cannot be asked keeps its connections until its machine goes.
    """
    match role.traffic:
        case ByLoadBalancer(drain=path) if path:
            machines = find_group(version).in_service
            in_parallel([partial(_drain, each, role.health.port, path, rate / len(machines)) for each in machines])
        case ByRegistry(restart=path) as traffic if path:
            _restart_members(version, traffic, rate)


def drain_machine(machine: Machine, role: Role) -> None:
    """The same for one machine that gets no new connections any more."""
    if isinstance(role.traffic, ByLoadBalancer) and role.traffic.drain:
        _drain(machine, role.health.port, role.traffic.drain, role.rollout.drain_rate)


def _drain(machine: Machine, port: int, path: str, rate: float) -> None:
    url = f"http://{machine.address}:{port}{path}"
    with http_client() as client:
        try:
            sockets = _ask_to_close(client, url, rate)
            patience = Patience(timeout=timedelta(seconds=sockets / rate) + SLACK, every=timedelta(seconds=0.2))
            wait_until(f"{machine.id} to be rid of its connections", partial(_left, client, url, rate), patience)
        except (httpx.HTTPError, Expired) as error:
            logger.warning("%s: %s; its connections stay until it goes", url, str(error) or type(error).__name__)


def _left(client: httpx.Client, url: str, rate: float) -> bool | NotYet:
    """Asked each time: a connection may have come in since the last time."""
    sockets = _ask_to_close(client, url, rate)
    return NotYet(f"{sockets} connections are still open") if sockets else True


def _ask_to_close(client: httpx.Client, url: str, rate: float) -> int:
    return int(client.post(url, params={"rate": rate}).raise_for_status().json()["sockets"])


def _restart_members(version: Version, traffic: ByRegistry, rate: float) -> None:
    """One after the other; each starts anew and registers again, free. One that never served is left alone."""
    peers = find_peers(version.stack, traffic)
    used = [member for member in find_members(version, traffic) if member.tenant or peers[member.url]]
    with http_client() as client:
        for member in used:
            _restart(client, member, traffic.restart)
            pause(f"the hubs of {member.url} to reconnect", timedelta(seconds=max(peers[member.url] / rate, 0.2)))


def _restart(client: httpx.Client, member: Member, path: str) -> None:
    try:
        client.delete(member.url + path).raise_for_status()
    except httpx.HTTPError as error:
        logger.warning("%s was not restarted: %s", member.url, str(error) or type(error).__name__)
