"""This machine as an etcd member, and how its server is started."""

import os
from dataclasses import dataclass
from pathlib import Path

from link.cluster.membership import Plan
from link.shared.environment import Environment

DIES_WITH_US = ("setpriv", "--pdeathsig", "KILL", "--")  # https://man7.org/linux/man-pages/man1/setpriv.1.html
OWN_VARIABLES = ("ETCD_CLIENT_PORT", "ETCD_PEER_PORT", "ETCD_PEER_HOSTS")


@dataclass(frozen=True)
class Node:
    """Where it listens and keeps its data, and how AWS knows it."""

    address: str
    client_port: int
    peer_port: int
    directory: Path
    region: str
    instance_id: str | None
    v2: bool
    """Whether it also serves the v2 API, which the original Link components speak."""

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
            v2=environment.text("REGISTRY_API", "v3") == "v2",
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


def etcd_command(node: Node, token: str, plan: Plan) -> list[str]:
    """Return the server's command line. A restarted etcd heeds its data and ignores the initial cluster.

    `token` tells clusters apart that are formed of the same addresses at different times.
    """
    return [
        *DIES_WITH_US,
        "etcd",
        f"--name={node.address}",
        f"--data-dir={node.directory}",
        f"--listen-client-urls={node.client_url(node.address)}",
        f"--advertise-client-urls={node.client_url(node.address)}",
        f"--listen-peer-urls={node.peer_url(node.address)}",
        f"--initial-advertise-peer-urls={node.peer_url(node.address)}",
        f"--initial-cluster={plan.initial_cluster}",
        f"--initial-cluster-state={plan.state}",
        f"--initial-cluster-token={token}",
        "--snapshot-count=5000",
        "--auto-compaction-mode=periodic",
        "--auto-compaction-retention=1h",
        *(["--enable-v2"] if node.v2 else []),
    ]


def etcd_variables() -> dict[str, str]:
    """Return our environment without what etcd would take for settings of its own."""
    return {name: value for name, value in os.environ.items() if name not in OWN_VARIABLES}
