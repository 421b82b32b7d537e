"""Workers that share the runs of one pool, and runs as a person starts them in the UI."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil
from prefect import Flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun

from tasks.model import Release
from tasks.roles import load_role
from tests.several_machines.servers import DEPLOYED, ROOT, STARTING, Process, Servers, environment_file
from tests.waiting import eventually
from tyrell.work_pools import create_pool

POOL = "tyrell"
FLOWS = {
    "bring-up": "flows/bring_up.py:bring_up",
    "network": "flows/network.py:create_network",
    "upgrade": "flows/upgrade.py:upgrade",
}
LONGEST = 600
"""Seconds that a run may take."""


class Team:
    """A pool, the workers on it, and the deployments of the flows that the tests start."""

    def __init__(self, servers: Servers, cloud: Mapping[str, str]) -> None:
        self._servers = servers
        self._cloud = dict(cloud)
        create_pool(POOL)
        self._deployments = {name: _deployed(entrypoint) for name, entrypoint in FLOWS.items()}

    def start_worker(self, name: str, limit: int) -> Process:
        """A worker, once the server knows it. It has its AWS access from its environment."""
        program = Path(sys.executable).with_name("prefect")
        command = [str(DEPLOYED / "with-secrets"), str(program), "worker", "start"]
        command += ["--pool", POOL, "--name", name, "--limit", str(limit)]
        variables = {
            **environment_file("worker.env"),
            **self._cloud,
            "PREFECT_API_URL": self._servers.client["PREFECT_API_URL"],
            "PREFECT_HOME": str(self._servers.folder / name),
            "PREFECT_WORKER_QUERY_SECONDS": "1",
            "CREDENTIALS_DIRECTORY": str(self._servers.secrets),
        }
        process = self._servers.start(name, command, variables)
        eventually(f"worker {name} is online", lambda: name in self._online() or process.poll() is not None, STARTING)
        assert process.poll() is None, self._servers.log(name)
        return process

    def start(self, flow: str, parameters: Mapping[str, Any]) -> UUID:
        """Start a run of the flow's deployment and return its id."""
        with get_client(sync_client=True) as client:
            run = client.create_flow_run_from_deployment(self._deployments[flow], parameters=dict(parameters))
        return run.id

    def ended(self, *runs: UUID, within: float = LONGEST) -> list[FlowRun]:
        """The runs once all of them have ended, in any way."""

        def look() -> bool:
            return all(run.state and run.state.is_final() for run in self._read(runs))

        eventually(f"{len(runs)} runs end", look, within)
        return self._read(runs)

    def completed(self, *runs: UUID) -> list[FlowRun]:
        """The runs once all of them have done what they should."""
        found = self.ended(*runs)
        failed = [f"{run.name}: {run.state}" for run in found if not (run.state and run.state.is_completed())]
        assert not failed, "\n".join(failed)
        return found

    def worked_on(self, worker: str, runs: list[UUID]) -> set[UUID]:
        """Which of the runs that worker has had: it asked for them, and the server did not refuse them."""
        log = self._servers.log(worker)
        return {run for run in runs if str(run) in log and f"Aborted submission of flow run '{run}'" not in log}

    def changes(self, run: UUID) -> list[str]:
        """The keys of the artifacts in which a run says what it changed; none when it found nothing to do."""
        wanted = {"artifacts": {"flow_run_id": {"any_": [str(run)]}}}
        with get_client(sync_client=True) as client:
            found = client.request("POST", "/artifacts/filter", json=wanted).json()
        return [artifact["key"] for artifact in found if str(artifact["key"]).endswith("-changes")]

    def _online(self) -> set[str]:
        with get_client(sync_client=True) as client:
            workers = client.read_workers_for_work_pool(POOL)
        return {worker.name for worker in workers}

    @staticmethod
    def _read(runs: tuple[UUID, ...]) -> list[FlowRun]:
        with get_client(sync_client=True) as client:
            return [client.read_flow_run(run) for run in runs]


def _deployed(entrypoint: str) -> UUID:
    flow: Flow[..., Any] = Flow.from_source(str(ROOT), entrypoint)  # type: ignore[assignment]
    made = flow.deploy("test", work_pool_name=POOL, print_next_steps=False, ignore_warnings=True)
    assert isinstance(made, UUID)
    return made


def upgrade_of(stack: str, role: str, release: Release, wait: str | None = None) -> dict[str, Any]:
    """The parameters of an upgrade that is not watched for long."""
    plan = load_role(role).rollout.model_dump(mode="json")
    quick: dict[str, Any] = {
        "pause": "PT0S",
        "min_healthy_time": "PT0S",
        "gate": None,
        "smoke": [],
        "rollback_window": "PT0S",
    }
    if plan["strategy"] == "canary":
        quick["steps"] = [50, 100]
    return {"stack": stack, "role": role, "to": release.id, "plan": plan | quick, "wait": wait}


def kill_with_children(process: Process) -> None:
    """As if its machine had lost its power: SIGKILL for it and all that it started."""
    doomed = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
    for each in doomed:
        os.kill(each.pid, 9)
    process.wait(10)
