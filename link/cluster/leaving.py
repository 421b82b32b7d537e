"""How a member leaves for good when its machine is terminated, and only then."""

import logging
import threading
import time

from botocore.exceptions import BotoCoreError, ClientError

from link.cluster.machines import Machine, NoInstance, find_role
from link.cluster.membership import NotYet, find_cluster, leave
from link.cluster.node import Node

TIMEOUT = 5.0
LOOK_EVERY = 0.5

logger = logging.getLogger(__name__)


def leave_if_terminated(node: Node, own: Machine) -> None:
    """Remove our member from the cluster if our machine is being terminated.

    A restarted service, a rebooted or stopped machine comes back with its data: its member stays. So it does when the
    others cannot do without it within `TIMEOUT` seconds, or are all being terminated too; the next machine that joins
    removes it then.
    """
    deadline = time.monotonic() + TIMEOUT
    while True:
        try:
            return _leave(node, own)
        except (NotYet, NoInstance, BotoCoreError, ClientError) as error:
            if time.monotonic() > deadline:
                return logger.warning("the member stays in the cluster: %s", error)
        threading.Event().wait(LOOK_EVERY)


def _leave(node: Node, own: Machine) -> None:
    machines = find_role(own, node.region)
    if not any(machine.id == own.id and machine.is_being_terminated for machine in machines):
        return
    cluster = find_cluster([node.client_url(machine.address) for machine in machines if machine.is_up])
    if cluster is not None:
        leave(cluster, node.address)
