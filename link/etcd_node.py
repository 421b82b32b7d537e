"""One member of core-services: finds the etcd cluster of its Auto Scaling group, then becomes the etcd server.

Settings: COREOS_PRIVATE_IPV4, STATE_DIRECTORY, ETCD_CLIENT_PORT (4001), ETCD_PEER_PORT (2380), AWS_REGION (us-east-1),
INSTANCE_ID, GROUP_NAME, JOIN_TIMEOUT (600 s). etcd's own ETCD_* variables pass through to it.
"""

import logging
import os
import shutil
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from link.cluster.group import NoInstance, find_group, find_group_name
from link.cluster.membership import NotYet, Plan, find_cluster, join
from link.shared.environment import Environment, SettingError
from link.shared.logs import log_to_stdout

LOOK_EVERY = 0.5
OWN_VARIABLES = ("ETCD_CLIENT_PORT", "ETCD_PEER_PORT", "ETCD_PEER_HOSTS")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Node:
    """This machine: where it listens and keeps its data, and how to find its group."""

    address: str
    client_port: int
    peer_port: int
    directory: Path
    region: str
    instance_id: str | None
    group_name: str | None

    @classmethod
    def from_environment(cls, environment: Environment) -> "Node":
        """Read the settings; raises `SettingError`."""
        return cls(
            address=environment.address(),
            client_port=environment.port("ETCD_CLIENT_PORT", 4001),
            peer_port=environment.port("ETCD_PEER_PORT", 2380),
            directory=Path(environment.text("STATE_DIRECTORY")),
            region=environment.text("AWS_REGION", "us-east-1"),
            instance_id=environment.text("INSTANCE_ID", "") or None,
            group_name=environment.text("GROUP_NAME", "") or None,
        )

    @property
    def has_data(self) -> bool:
        """Whether etcd has run here before."""
        return (self.directory / "member").exists()

    def client_url(self, address: str) -> str:
        """The URL of the member at this address for clients."""
        return f"http://{address}:{self.client_port}"

    def peer_url(self, address: str) -> str:
        """The URL of the member at this address for the other members."""
        return f"http://{address}:{self.peer_port}"


def find_plan(node: Node) -> tuple[str, Plan]:
    """Look once; return the group's name and how to start, or raise `NotYet` or `NoInstance`."""
    name = node.group_name or find_group_name(node.address, node.instance_id, node.region)
    group = find_group(name, node.region)
    others = [address for address in group.addresses if address != node.address]
    cluster = find_cluster([node.client_url(address) for address in others])
    if cluster is not None:
        return name, join(cluster, node.address, node.peer_url(node.address), group.addresses, node.has_data)
    if node.has_data:
        return name, Plan("existing", {node.address: node.peer_url(node.address)})
    if not group.complete or node.address not in group.addresses:
        raise NotYet(f"group {name} has {len(group.addresses)} of {group.desired} machines: {group.addresses}")
    return name, Plan("new", {address: node.peer_url(address) for address in group.addresses})


def await_plan(node: Node, timeout: float) -> tuple[str, Plan]:
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


def etcd_command(node: Node, group_name: str, plan: Plan) -> list[str]:
    """Return the server's command line. A restarted etcd heeds its data and ignores the initial cluster."""
    return [
        "etcd",
        f"--name={node.address}",
        f"--data-dir={node.directory}",
        f"--listen-client-urls={node.client_url(node.address)}",
        f"--advertise-client-urls={node.client_url(node.address)}",
        f"--listen-peer-urls={node.peer_url(node.address)}",
        f"--initial-advertise-peer-urls={node.peer_url(node.address)}",
        f"--initial-cluster={plan.initial_cluster}",
        f"--initial-cluster-state={plan.state}",
        f"--initial-cluster-token={group_name}",
        "--snapshot-count=5000",
        "--auto-compaction-mode=periodic",
        "--auto-compaction-retention=1h",
    ]


def main() -> None:
    """Become etcd. Exits 2 for a bad setting, 1 when there is no cluster in time or no etcd on the PATH."""
    log_to_stdout("etcd-node")
    environment = Environment(os.environ)
    try:
        node = Node.from_environment(environment)
        timeout = environment.number("JOIN_TIMEOUT", 600, 1, 86400)
        program = shutil.which("etcd")
        if program is None:
            sys.exit("etcd-node: there is no program etcd on the PATH")
        group_name, plan = await_plan(node, timeout)
    except SettingError as error:
        print(f"etcd-node: {error}", file=sys.stderr)
        sys.exit(2)
    except TimeoutError as error:
        sys.exit(f"etcd-node: {error}")
    if not plan.keep_data:
        shutil.rmtree(node.directory / "member", ignore_errors=True)
    command = etcd_command(node, group_name, plan)
    logger.info("starting etcd", extra={"fields": {"command": command}})
    variables = {name: value for name, value in os.environ.items() if name not in OWN_VARIABLES}
    os.execve(program, command, variables)  # noqa: S606


if __name__ == "__main__":
    main()
