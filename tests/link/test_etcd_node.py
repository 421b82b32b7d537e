"""Machines of an Auto Scaling group that form an etcd cluster, and keep it when one of them is replaced."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from link.cluster.membership import Cluster, Member, NotYet, Plan, join
from link.shared.etcd import Etcd, EtcdUnavailable
from tests.link.aws_server import Aws, MachineGroup
from tests.link.etcd_server import ETCD
from tests.link.processes import service_process
from tests.link.waiting import eventually
from tests.waiting import free_port

NETWORK = "127.31.9.0/24"


class Nodes:
    """etcd nodes, each a process on a machine of the group."""

    def __init__(self, aws: Aws, directory: Path) -> None:
        self.group = MachineGroup(aws, "core", NETWORK, {"tyrell:stack": "lab", "tyrell:role": "core-services"})
        self.port, self.peer_port = free_port("127.31.9.11"), free_port("127.31.9.12")
        self._directory = directory
        self._aws = aws

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
            "PATH": str(ETCD.parent),
        }
        async with service_process("link.etcd_node", variables, output=self._directory / f"{address}.log"):
            yield

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

        await eventually(f"the members are {addresses}", all_started, timeout=40)


@pytest.mark.cloud
async def test_three_machines_form_a_cluster_that_outlives_replacing_each_and_a_power_cut(
    aws: Aws, tmp_path: Path
) -> None:
    nodes = Nodes(aws, tmp_path)
    first = [f"127.31.9.{number}" for number in (11, 12, 13)]
    for address in first:
        nodes.group.add(address)
    async with contextlib.AsyncExitStack() as running:
        stops = {address: await running.enter_async_context(_stoppable(nodes, address)) for address in first}
        client = nodes.client(*first)
        running.push_async_callback(client.close)
        await nodes.await_members(client, set(first))
        await client.put("/kept", "value")
        members = list(first)
        for number in (21, 22, 23):
            old, new = members.pop(0), f"127.31.9.{number}"
            await stops[old].aclose()
            nodes.group.remove(old)
            nodes.group.add(new)
            stops[new] = await running.enter_async_context(_stoppable(nodes, new))
            members.append(new)
            await nodes.await_members(client, set(members))
        for address in members:
            await stops[address].aclose()
        for address in members:
            await running.enter_async_context(_stoppable(nodes, address))
        await nodes.await_members(client, set(members))
        kept = await client.get("/kept")
        assert kept is not None
        assert kept.value == "value"


@contextlib.asynccontextmanager
async def _stoppable(nodes: Nodes, address: str) -> AsyncIterator[contextlib.AsyncExitStack]:
    """Run a node that can be ended before the test ends."""
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(nodes.node(address))
        yield stack


@pytest.mark.cloud
async def test_the_other_machines_are_told_where_core_services_is(aws: Aws, tmp_path: Path) -> None:
    nodes = Nodes(aws, tmp_path)
    nodes.group.add("127.31.9.11")
    variables = aws.variables | {"ZETTA_STACK": "lab", "ETCD_CLIENT_PORT": str(nodes.port)}
    async with nodes.node("127.31.9.11"), service_process("link.etcd_peers", variables) as process:
        said, _ = await process.communicate()
        assert (process.returncode, said.decode()) == (0, f"ETCD_PEER_HOSTS=127.31.9.11:{nodes.port}\n")


def cluster(*members: tuple[str, bool]) -> Cluster:
    """A cluster nobody answers for, with members (address, started)."""
    listed = (Member(address, address, f"http://{address}:2380", started) for address, started in members)
    return Cluster("http://127.31.9.99:1", tuple(listed))


def test_a_listed_machine_that_never_started_joins_without_being_added() -> None:
    formed = cluster(("10.0.0.1", True), ("10.0.0.2", True), ("10.0.0.3", False))
    plan = join(formed, "10.0.0.3", "http://10.0.0.3:2380", ["10.0.0.1", "10.0.0.2", "10.0.0.3"], has_data=False)
    assert plan == Plan("existing", {f"10.0.0.{number}": f"http://10.0.0.{number}:2380" for number in (1, 2, 3)})
    assert plan.initial_cluster.startswith("10.0.0.1=http://10.0.0.1:2380,10.0.0.2=")


@pytest.mark.parametrize(
    ("group", "has_data", "step"),
    [
        (["10.0.0.1", "10.0.0.2"], True, "remove 10.0.0.3 from the cluster"),
        (["10.0.0.1", "10.0.0.2", "10.0.0.3"], False, "remove 10.0.0.2 from the cluster"),
    ],
    ids=["a member whose machine is gone", "ourselves, when our data are lost"],
)
def test_first_is_removed(group: list[str], has_data: bool, step: str) -> None:
    formed = cluster(("10.0.0.1", True), ("10.0.0.2", True), ("10.0.0.3", True))
    with pytest.raises(NotYet, match=step):
        join(formed, "10.0.0.2", "http://10.0.0.2:2380", group, has_data)
