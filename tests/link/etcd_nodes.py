"""Machines of core-services for the tests: their etcd nodes are real, AWS is moto."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

from link.shared.etcd import Etcd, EtcdUnavailable
from tests.link.aws_server import Aws, MachineGroup
from tests.link.etcd_server import ETCD
from tests.link.processes import service_process
from tests.link.waiting import eventually
from tests.waiting import free_port

NETWORK = "127.42.9.0/24"
FIRST = ["127.42.9.11", "127.42.9.12", "127.42.9.13"]


class Nodes:
    """etcd nodes, each a process on a machine of the first version's group or of another one's."""

    def __init__(self, aws: Aws, directory: Path) -> None:
        self.port, self.peer_port = free_port("127.42.9.11"), free_port("127.42.9.12")
        self._directory = directory
        self._aws = aws
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self.group = self.new_group("one")

    def new_group(self, version: str) -> MachineGroup:
        """The group of a version of core-services."""
        tags = {"tyrell:stack": "lab", "tyrell:role": "core-services", "tyrell:version": version}
        return MachineGroup(self._aws, f"core-{version}", NETWORK, tags)

    @contextlib.asynccontextmanager
    async def node(self, address: str) -> AsyncIterator[None]:
        """Run one node; kill it at the end. Its data stay."""
        variables = self._aws.variables | {
            "COREOS_PRIVATE_IPV4": address,
            "STATE_DIRECTORY": str(self._directory / address),
            "ETCD_CLIENT_PORT": str(self.port),
            "ETCD_PEER_PORT": str(self.peer_port),
            "ETCD_HEARTBEAT_INTERVAL": "50",
            "ETCD_ELECTION_TIMEOUT": "500",
            "ETCD_UNSAFE_NO_FSYNC": "true",
            "PATH": f"{ETCD.parent}:{os.environ['PATH']}",
        }
        async with service_process("link.etcd_node", variables, output=self._log(address)) as process:
            self._running[address] = process
            yield

    async def kill(self, address: str) -> None:
        """End the node as a power cut does."""
        self._running[address].kill()
        await self._running[address].wait()

    async def stop(self, address: str) -> int:
        """End the node as its unit is stopped; return its exit status."""
        self._running[address].send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self._running[address].wait(), 20)

    def said(self, address: str) -> str:
        """What the node has logged."""
        return self._log(address).read_text()

    def client(self, *addresses: str) -> Etcd:
        """A client that begins with these members."""
        return Etcd([f"http://{address}:{self.port}" for address in addresses])

    async def await_members(self, client: Etcd, addresses: set[str]) -> None:
        """Wait until the cluster has exactly these members, all started, and takes a write."""
        urls = {f"http://{address}:{self.port}" for address in addresses}

        async def all_started() -> bool:
            try:
                listed = await client.members()
                await client.put("/written", "x")
            except EtcdUnavailable:
                return False
            return listed == urls

        await eventually(f"the members are {addresses}", all_started, timeout=60)

    def _log(self, address: str) -> Path:
        return self._directory / f"{address}.log"


@contextlib.asynccontextmanager
async def first_cluster(aws: Aws, directory: Path) -> AsyncIterator[tuple[Nodes, Etcd, contextlib.AsyncExitStack]]:
    """A cluster of the first version's three machines, a client of it, and where to run more nodes."""
    nodes = Nodes(aws, directory)
    for address in FIRST:
        nodes.group.add(address)
    async with contextlib.AsyncExitStack() as running:
        for address in FIRST:
            await running.enter_async_context(nodes.node(address))
        client = nodes.client(*FIRST)
        running.push_async_callback(client.close)
        await nodes.await_members(client, set(FIRST))
        yield nodes, client, running
