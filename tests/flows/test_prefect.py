"""The pinned Prefect works: its server schedules runs, and our deployments are accepted by it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tasks.waits import NotYet, wait_until
from tests.flows.embedded import PATIENCE, Tyrell

pytestmark = [pytest.mark.cloud, pytest.mark.flow]

ROOT = Path(__file__).resolve().parents[2]
LONGEST = 400
"""Seconds in which all deployments must be registered."""


@pytest.fixture(scope="module")
def api(cloud: Tyrell) -> Iterator[httpx.Client]:
    """The API of the cloud's own Prefect server."""
    with httpx.Client(base_url=cloud.cloud_environment["PREFECT_API_URL"], trust_env=False) as client:
        yield client


def post(api: httpx.Client, path: str, body: dict[str, Any]) -> Any:
    answer = api.post(path, json=body)
    assert answer.is_success, answer.text
    return answer.json()


def test_a_schedule_creates_runs(api: httpx.Client) -> None:
    flow = post(api, "/flows/", {"name": "scheduled"})
    schedule = {"active": True, "schedule": {"cron": "* * * * *"}}
    post(api, "/deployments/", {"name": "often", "flow_id": flow["id"], "schedules": [schedule]})

    def scheduled() -> list[Any] | NotYet:
        wanted = {"flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}}, "flows": {"id": {"any_": [flow["id"]]}}}
        return post(api, "/flow_runs/filter", wanted) or NotYet("the scheduler has made no run")

    assert wait_until("a scheduled run", scheduled, PATIENCE)


def test_every_flow_can_be_deployed_from_the_file(api: httpx.Client, cloud: Tyrell) -> None:
    chosen = {"TYRELL_STACK": "plain", "TYRELL_METRICS": "plain-metrics", "TYRELL_WORK_POOL": "plain"}
    environment = os.environ | cloud.cloud_environment | {"PREFECT_HOME": str(cloud.home / "client")} | chosen
    prefect = str(Path(sys.executable).with_name("prefect"))
    for command in (
        ["work-pool", "create", "--type", "process", "plain"],
        ["--no-prompt", "deploy", "--prefect-file", "deployments/prefect.yaml", "--all"],
    ):
        done = subprocess.run(
            [prefect, *command], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
    deployed = post(api, "/deployments/filter", {"deployments": {"name": {"any_": ["plain"]}}})
    flows = {flow["id"]: flow["name"] for flow in post(api, "/flows/filter", {})}
    names = {flows[deployment["flow_id"]] for deployment in deployed}
    assert {"bring-up", "deploy", "switch", "upgrade", "rollback", "scale", "prune", "retire"} <= names
    assert {"pause-workers", "status", "tear-down", "stack-update"} <= names


@pytest.fixture(scope="module")
def upgrade(cloud: Tyrell, api: httpx.Client) -> dict[str, Any]:
    """The deployment `upgrade/demo`, registered by the command."""
    said = cloud.ok("deployments", "apply", timeout=LONGEST)
    assert "created work pool tyrell of kind process" in said
    assert "registered upgrade/demo, was missing" in said
    found: dict[str, Any] = api.get("/deployments/name/upgrade/demo").json()
    return found


def test_registering_twice_changes_nothing(cloud: Tyrell, upgrade: dict[str, Any]) -> None:
    again = cloud.ok("deployments", "apply", timeout=LONGEST)
    assert again == "nothing changed: every deployment is registered as it is here\n"


def test_status_says_what_is_stale_and_that_nobody_works(
    cloud: Tyrell, api: httpx.Client, upgrade: dict[str, Any]
) -> None:
    older = {"title": "Parameters", "type": "object", "properties": {"release": {"type": "object"}}}
    sent = {"name": "demo", "flow_id": upgrade["flow_id"], "entrypoint": upgrade["entrypoint"]}
    post(api, "/deployments/", {**sent, "parameter_openapi_schema": older, "tags": upgrade["tags"]})
    done = cloud.run("deployments", "status")
    assert done.returncode == 1
    assert "upgrade/demo                     stale: form" in done.stdout
    assert "work pool tyrell has no worker; `prefect worker start --pool tyrell` starts one" in done.stderr
    assert "1 to be registered: `tyrell deployments apply --stack demo" in done.stderr
    assert "registered upgrade/demo, was stale: form" in cloud.ok("deployments", "apply", timeout=LONGEST)


@pytest.mark.parametrize(
    "parameters", [{"role": "ruoter"}, {"role": "router", "stack": "Prod"}, {"role": "router", "wait": "soon"}, {}]
)
def test_what_cannot_be_makes_no_run(api: httpx.Client, upgrade: dict[str, Any], parameters: dict[str, str]) -> None:
    mine = {"flow_runs": {"deployment_id": {"any_": [upgrade["id"]]}}}
    answer = api.post(f"/deployments/{upgrade['id']}/create_flow_run", json={"parameters": parameters})
    assert answer.status_code == 409, answer.text
    assert "Validation failed" in answer.json()["detail"]
    assert post(api, "/flow_runs/filter", mine) == []
