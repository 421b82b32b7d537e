"""An etcd cluster's members: who they are, and the steps by which one joins and leaves.

https://etcd.io/docs/v3.5/op-guide/runtime-configuration/
"""

import contextlib
import json
import logging
import urllib.error
import urllib.request
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

TIMEOUT = 2.0

logger = logging.getLogger(__name__)


class NotYet(Exception):
    """What is needed to go on is not there yet; the text says what."""


@dataclass(frozen=True)
class Member:
    """A member as the cluster lists it. It has no `client_url` as long as it never came up."""

    id: str
    address: str
    peer_url: str
    client_url: str

    @property
    def started(self) -> bool:
        """Whether it ever came up."""
        return bool(self.client_url)


@dataclass(frozen=True)
class Plan:
    """How to start etcd: with which members, in a cluster that is `new` or `existing`, keeping our data or not."""

    state: str
    members: dict[str, str]
    keep_data: bool = True

    @property
    def initial_cluster(self) -> str:
        """The members as etcd wants to be told: name=peer URL, ... A member is named after its address."""
        return ",".join(f"{name}={url}" for name, url in sorted(self.members.items()))


@dataclass(frozen=True)
class Cluster:
    """The cluster as seen through its member at `client_url`."""

    client_url: str
    members: tuple[Member, ...]

    def member_at(self, address: str) -> Member | None:
        """Return the member with this address."""
        return next((member for member in self.members if member.address == address), None)

    def remove(self, member: Member) -> None:
        """Remove a member; raises `NotYet` while etcd refuses because the others would not be a majority."""
        self._change("remove", {"ID": member.id}, f"remove {member.address} from the cluster")
        logger.info("member removed", extra={"fields": {"address": member.address}})

    def add(self, peer_url: str) -> None:
        """Add a member that is about to start; raises `NotYet` while etcd refuses, as after another addition."""
        self._change("add", {"peerURLs": [peer_url]}, f"add {peer_url} to the cluster")
        logger.info("member added", extra={"fields": {"peer": peer_url}})

    def _change(self, verb: str, body: dict[str, Any], what: str) -> None:
        try:
            _post(f"{self.client_url}/v3/cluster/member/{verb}", body)
        except urllib.error.HTTPError as error:
            raise NotYet(f"waiting to {what}: {error.read().decode(errors='replace').strip()}") from error
        except (OSError, ValueError) as error:
            raise NotYet(f"waiting to {what}: {error}") from error


def find_cluster(client_urls: Sequence[str]) -> Cluster | None:
    """Return the cluster that the first answering member belongs to, or None when nobody answers.

    The list is the member's own view, because one that is left without a majority must answer too: next to such a
    survivor nobody may form a new cluster. A member that is only just forming one does not answer yet.
    """
    for url in client_urls:
        try:
            listed = _post(f"{url}/v3/cluster/member/list", {})["members"]
        except (OSError, ValueError, KeyError):
            continue
        return Cluster(url, tuple(_member(one) for one in listed))
    return None


def is_healthy(client_url: str) -> bool:
    """Whether the member says that it is healthy. https://etcd.io/docs/v3.5/op-guide/monitoring/#health-check"""
    try:
        with urllib.request.urlopen(f"{client_url}/health", timeout=TIMEOUT) as response:  # noqa: S310  its http URL
            return bool(json.load(response)["health"] == "true")
    except (OSError, ValueError, KeyError):
        return False


def join(cluster: Cluster, address: str, peer_url: str, machines: Collection[str], has_data: bool) -> Plan:
    """Make us a member and return how to start; raises `NotYet` after each single step that needs a fresh look.

    Members that are no longer machines are removed first, one at a time; one that answers is left alone, as AWS may
    list a new machine late. A member that had started but has lost its data must not come back as the same member: it
    would break promises that it made.
    """
    for member in cluster.members:
        if member.address not in {address, *machines} and not is_healthy(member.client_url):
            cluster.remove(member)
            raise NotYet(f"removed {member.address}, looking again")
    us = cluster.member_at(address)
    if us is None:
        cluster.add(peer_url)
        members = {member.address: member.peer_url for member in cluster.members}
        return Plan("existing", members | {address: peer_url}, keep_data=False)
    if us.started and not has_data:
        cluster.remove(us)
        raise NotYet("removed our former self, looking again")
    return Plan("existing", {member.address: member.peer_url for member in cluster.members})


def leave(cluster: Cluster, address: str) -> None:
    """Remove the member at this address; raises `NotYet` while the others could not do without it.

    They can when two at least and a majority of them are healthy. A leader hands over first: else the others would
    notice only after an election timeout that it is gone.
    """
    us = cluster.member_at(address)
    if us is None:
        return
    others = [member for member in cluster.members if member is not us]
    healthy = [member for member in others if is_healthy(member.client_url)]
    if len(healthy) < max(2, len(others) // 2 + 1):
        raise NotYet(f"only {len(healthy)} of the {len(others)} other members are healthy")
    with contextlib.suppress(OSError, ValueError):  # it is no leader, or has stopped and handed over by itself
        _post(f"{us.client_url}/v3/maintenance/transfer-leadership", {"targetID": healthy[0].id})
    cluster.remove(us)


def _member(listed: dict[str, Any]) -> Member:
    peer_url = listed["peerURLs"][0]
    client_url = next(iter(listed.get("clientURLs", [])), "")
    return Member(listed["ID"], urlsplit(peer_url).hostname or "", peer_url, client_url)


def _post(url: str, body: dict[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(url, json.dumps(body).encode())  # noqa: S310  a member's http URL
    with urllib.request.urlopen(request, timeout=TIMEOUT) as response:  # noqa: S310
        answer: dict[str, Any] = json.load(response)
        return answer
