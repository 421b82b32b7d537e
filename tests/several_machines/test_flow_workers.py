"""Machines of the role flow-worker on the embedded cloud: real workers, real runs, each with its flow's role.

Every test goes on where the one before ended.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from prefect import Flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import LogFilter, LogFilterFlowRunId
from prefect.client.schemas.objects import State
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.base_stack import create_base_stack
from flows.deploy import deploy
from flows.network import create_network
from tasks.clients import autoscaling, ec2, secretsmanager
from tasks.model import Network, Stack
from tests.flows.embedded import Tyrell, cloud_of_this_process
from tests.several_machines.servers import ROOT
from tests.waiting import eventually
from tyrell.local.flows_image import KIND, flows_files
from tyrell.local.machines.images import register_image
from tyrell.local.state import read_state

pytestmark = [pytest.mark.cloud, pytest.mark.flow]

NETWORK = "127.57.0.0/16"
STACK = "run"
LONG = 300
"""Seconds; a busy machine takes most of them."""
SOON = {"PREFECT_WORKER_QUERY_SECONDS": "1", "PREFECT_WORKER_HEARTBEAT_SECONDS": "1"}
"""Prefect counts a worker as gone after three heartbeats that did not come."""


@dataclass
class Site:
    """A stack without any role but etcd, on a cloud with a Prefect server."""

    cloud: Tyrell
    url: str

    def start(self, deployment: UUID | str, **parameters: Any) -> UUID:
        """Start a run of a deployment, by its name or its id."""
        with get_client(sync_client=True) as client:
            if isinstance(deployment, str):
                deployment = client.read_deployment_by_name(deployment).id
            return client.create_flow_run_from_deployment(deployment, parameters=parameters).id

    def state(self, run: UUID) -> State[Any]:
        """How the run stands."""
        with get_client(sync_client=True) as client:
            state = client.read_flow_run(run).state
        assert state
        return state

    def ended(self, run: UUID) -> State[Any]:
        """How the run has ended."""
        eventually("the run ends", lambda: self.state(run).is_final(), LONG)
        return self.state(run)

    def said(self, run: UUID) -> str:
        """The log of a run."""
        with get_client(sync_client=True) as client:
            lines = client.read_logs(LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run])))
        return "\n".join(line.message for line in lines)

    def online(self) -> list[str]:
        """The names of the workers that are online in the pool."""
        with get_client(sync_client=True) as client:
            workers = client.read_workers_for_work_pool("tyrell")
        return [str(each.name) for each in workers if each.status == "ONLINE"]

    def versions_online(self) -> set[str]:
        """Their versions, which the names tell."""
        return {name.split("-")[1] for name in self.online()}

    def leaving(self) -> list[str]:
        """The machines that their group holds on their way out."""
        members = autoscaling().describe_auto_scaling_instances()["AutoScalingInstances"]
        return [each["InstanceId"] for each in members if each["LifecycleState"] == "Terminating:Wait"]


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """The stack, with what flow workers need but the secret."""
    with cloud_of_this_process(NETWORK) as cloud:
        url = cloud.cloud_environment["PREFECT_API_URL"]
        with temporary_settings({PREFECT_API_URL: url}):
            create_network(Network(name="net", cidr=NETWORK), STACK)
            create_base_stack(Stack(name=STACK, network="net", port=8080))
            deploy(STACK, "core-services")
            yield Site(cloud, url)


def test_without_its_secret_it_is_refused_and_nothing_is_made(site: Site) -> None:
    site.cloud.ok("local", "bake", KIND)
    refused = site.cloud.run("deploy", "flow-worker", "--stack", STACK)
    assert refused.returncode == 2
    sentence = f"secret tyrell/{STACK}/prefect does not exist; `aws secretsmanager create-secret --name tyrell/{STACK}/"
    assert sentence in " ".join(refused.stderr.split())
    assert "flow-worker" not in site.cloud.ok("status", STACK)


def test_a_deploy_returns_when_its_worker_asks_for_work(site: Site) -> None:
    secretsmanager().create_secret(
        Name=f"tyrell/{STACK}/prefect", SecretString=json.dumps({"PREFECT_API_URL": site.url, **SOON})
    )
    site.cloud.ok("deploy", "flow-worker", "--stack", STACK, "--version", "one", timeout=LONG)
    assert site.versions_online() == {"one"}
    assert "flow-worker" in site.cloud.ok("status", STACK)


def test_a_run_has_the_role_of_its_flow(site: Site) -> None:
    site.cloud.ok("deployments", "apply", "--stack", STACK, timeout=LONG)
    run = site.start(f"status/{STACK}")
    assert site.ended(run).is_completed(), site.said(run)
    assert re.search(r"on AWS this run is arn:aws:sts::\d+:assumed-role/\S*Status\S*", site.said(run)), site.said(run)


def test_a_flow_without_a_role_is_refused_with_a_sentence(site: Site) -> None:
    ended = site.ended(site.start("build-image/default", roles=["router"]))
    assert ended.is_failed()
    assert "a role of flow build-image on flow workers" in str(ended.message)


def test_an_upgrade_waits_for_the_runs_of_the_machine_that_goes(site: Site, tmp_path: Path) -> None:
    begun, release = tmp_path / "begun", tmp_path / "release"
    run = site.start(deployed_here("held_flow.py:held"), begun=str(begun), release=str(release))
    eventually("the run is in its middle", begun.exists, LONG)
    upgrade = site.cloud.started("upgrade", "flow-worker", "--stack", STACK, "--to", changed_image(site))
    try:
        eventually("the new worker is there", lambda: site.versions_online() == {"one", "two"}, LONG)
        eventually("the old machine is on its way out", site.leaving, LONG)
        assert site.state(run).is_running()
        release.touch()
        assert site.ended(run).is_completed(), site.said(run)
        assert upgrade.wait(LONG) == 0
    finally:
        upgrade.kill()
    eventually("only the new worker is left", lambda: site.versions_online() == {"two"}, LONG)
    after = site.start(f"status/{STACK}")
    assert site.ended(after).is_completed(), site.said(after)


def test_a_machine_that_is_gone_is_replaced(site: Site) -> None:
    (name,) = site.online()
    ec2().terminate_instances(InstanceIds=[name.partition("-two-")[2]])
    eventually("another worker is there", lambda: set(site.online()) - {name}, LONG)
    assert site.versions_online() == {"two"}


def deployed_here(entrypoint: str) -> UUID:
    """A deployment of a flow of this folder."""
    name = f"tests/several_machines/{entrypoint}"
    flow: Flow[..., Any] = Flow.from_source(str(ROOT), name)  # type: ignore[assignment]
    made = flow.deploy("test", work_pool_name="tyrell", print_next_steps=False, ignore_warnings=True)
    assert isinstance(made, UUID)
    return made


def changed_image(site: Site) -> str:
    """The id of release `two`: the same Tyrell, by another name."""
    state = read_state(site.cloud.home)
    assert state
    return register_image(state.settings, "tyrell-two", flows_files(), {"tyrell:kind": KIND, "tyrell:release": "two"})
