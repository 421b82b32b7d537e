"""Machines of an Auto Scaling group that form an etcd cluster, and keep it when one of them is replaced."""

from pathlib import Path

import pytest

from link.cluster.membership import Cluster, Member, NotYet, Plan, join
from tests.link.aws_server import Aws
from tests.link.etcd_nodes import FIRST, Nodes, first_cluster
from tests.link.processes import service_process


@pytest.mark.cloud
async def test_three_machines_form_a_cluster_that_outlives_replacing_each_and_a_power_cut(
    aws: Aws, tmp_path: Path
) -> None:
    async with first_cluster(aws, tmp_path) as (nodes, client, running):
        await client.put("/kept", "value")
        members = list(FIRST)
        for number in (21, 22, 23):
            old, new = members.pop(0), f"127.42.9.{number}"
            await nodes.kill(old)
            nodes.group.remove(old)
            nodes.group.add(new)
            await running.enter_async_context(nodes.node(new))
            members.append(new)
            await nodes.await_members(client, set(members))
        for address in members:
            await nodes.kill(address)
        for address in members:
            await running.enter_async_context(nodes.node(address))
        await nodes.await_members(client, set(members))
        kept = await client.get("/kept")
        assert kept is not None
        assert kept.value == "value"


@pytest.mark.cloud
async def test_the_other_machines_are_told_where_core_services_is(aws: Aws, tmp_path: Path) -> None:
    nodes = Nodes(aws, tmp_path)
    nodes.group.add("127.42.9.11")
    variables = aws.variables | {"ZETTA_STACK": "lab", "ETCD_CLIENT_PORT": str(nodes.port)}
    async with nodes.node("127.42.9.11"), service_process("link.etcd_peers", variables) as process:
        said, _ = await process.communicate()
        assert (process.returncode, said.decode()) == (0, f"ETCD_PEER_HOSTS=127.42.9.11:{nodes.port}\n")


NOBODY = "http://127.42.9.99:1"


def cluster(*members: tuple[str, bool]) -> Cluster:
    """A cluster nobody answers for, with members (address, started)."""
    listed = (
        Member(address, address, f"http://{address}:2380", NOBODY if started else "") for address, started in members
    )
    return Cluster(NOBODY, tuple(listed))


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
