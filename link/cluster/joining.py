"""How a machine becomes a member: it joins the cluster of any of its role's machines, or its group forms one."""

import logging
import threading
import time
from collections.abc import Sequence

from botocore.exceptions import BotoCoreError, ClientError

from link.cluster.machines import Machine, NoInstance, find_group, find_own, find_role
from link.cluster.membership import NotYet, Plan, find_cluster, join
from link.cluster.node import Node

LOOK_EVERY = 0.5

logger = logging.getLogger(__name__)


def await_plan(node: Node, timeout: float) -> tuple[Machine, Plan]:
    """Look until there is a plan; raises `TimeoutError` that says what was missing last."""
    deadline = time.monotonic() + timeout
    last = ""
    while True:
        try:
            return find_plan(node)
        except (NotYet, NoInstance, BotoCoreError, ClientError) as error:
            if str(error) != last:
                logger.info("not yet: %s", error)
            last = str(error)
        if time.monotonic() > deadline:
            raise TimeoutError(f"no etcd cluster to join or form within {timeout:g} s: {last}")
        threading.Event().wait(LOOK_EVERY)


def find_plan(node: Node) -> tuple[Machine, Plan]:
    """Look once; return our machine and how to start etcd on it, or raise `NotYet` or `NoInstance`."""
    own = find_own(node.address, node.instance_id, node.region)
    machines = [machine for machine in find_role(own, node.region) if machine.is_up]
    cluster = find_cluster([node.client_url(machine.address) for machine in machines if machine.id != own.id])
    if cluster is not None:
        addresses = [machine.address for machine in machines]
        return own, join(cluster, node.address, node.peer_url(node.address), addresses, node.has_data)
    if node.has_data:
        return own, Plan("existing", {node.address: node.peer_url(node.address)})
    return own, _form(node, own, machines)


def _form(node: Node, own: Machine, machines: Sequence[Machine]) -> Plan:
    """A new cluster of our group, once it is complete.

    Only the group with the oldest machine may: the members of another one may just not answer at this moment, and a
    second cluster beside theirs would have none of their data.
    """
    oldest = min([own, *machines], key=lambda machine: (machine.launched, machine.id))
    if oldest.group != own.group:
        raise NotYet(f"the older machine {oldest.address} of group {oldest.group} is no member that answers")
    group = find_group(own.group, machines, node.region)
    if not group.complete or node.address not in group.addresses:
        raise NotYet(f"group {group.name} has {len(group.addresses)} of {group.desired} machines: {group.addresses}")
    return Plan("new", {address: node.peer_url(address) for address in group.addresses})
