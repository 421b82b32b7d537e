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
    environment = os.environ | cloud.cloud_environment | {"PREFECT_HOME": str(cloud.home / "client")}
    prefect = str(Path(sys.executable).with_name("prefect"))
    for command in (
        ["work-pool", "create", "--type", "process", "tyrell"],
        ["--no-prompt", "deploy", "--prefect-file", "deployments/prefect.yaml", "--all"],
    ):
        done = subprocess.run(
            [prefect, *command], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
    deployed = post(api, "/deployments/filter", {})
    flows = {flow["id"]: flow["name"] for flow in post(api, "/flows/filter", {})}
    names = {flows[deployment["flow_id"]] for deployment in deployed}
    assert {"bring-up", "deploy", "switch", "upgrade", "rollback", "scale", "prune", "retire"} <= names
    assert {"scale-workers", "pause-workers"} <= names
    assert {"status", "tear-down", "merge-buckets", "stack-update"} <= names
