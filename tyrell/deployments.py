"""The deployments of the flows: what `deployments/prefect.yaml` says of them, and what the Prefect server has."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml
from prefect import Flow
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import WorkerFilter, WorkerFilterStatus
from prefect.client.schemas.responses import DeploymentResponse
from prefect.exceptions import ObjectNotFound
from prefect.flows import load_flow_from_entrypoint
from prefect.utilities.callables import parameter_schema
from prefect.utilities.templating import apply_values

from tasks.errors import TyrellError
from tasks.model import Noun

ROOT = Path(__file__).resolve().parent.parent
FILE = Path("deployments/prefect.yaml")
LONGEST = 300
"""Seconds in which Prefect must have registered them all; some twenty are usual."""


class Registration(Noun):
    """A deployment of the file, next to what the server has under its name."""

    name: str
    """As `flow/deployment`."""
    registered: bool
    paused: bool = False
    differs: tuple[str, ...] = ()
    """What the server has otherwise than the file and the flow say."""

    @property
    def problem(self) -> str:
        """Why it is to be registered again; empty when it is as wanted."""
        if not self.registered:
            return "missing"
        return f"stale: {', '.join(self.differs)}" if self.differs else ""


def choose(stack: str, metrics: str, work_pool: str) -> None:
    """Set the variables that the file is written with."""
    os.environ.update(TYRELL_STACK=stack, TYRELL_METRICS=metrics, TYRELL_WORK_POOL=work_pool, PWD=str(ROOT))


def find_entries() -> list[dict[str, Any]]:
    """The deployments of the file, its variables replaced by those of the environment."""
    entries: list[dict[str, Any]] = yaml.safe_load((ROOT / FILE).read_text())["deployments"]
    return [dict(apply_values(entry, {})) for entry in entries]


def load_flow(entrypoint: str) -> Flow[..., Any]:
    """The flow of `flows/file.py:function`, from this checkout."""
    return load_flow_from_entrypoint(str(ROOT / entrypoint), use_placeholder_flow=False)


def form_of(flow: Flow[..., Any]) -> dict[str, Any]:
    """The JSON schema of its parameters, as the server keeps it and the UI draws its form by."""
    return parameter_schema(flow).model_dump(exclude_unset=True)


def find_registrations() -> tuple[Registration, ...]:
    """Every deployment of the file as the server has it."""
    with get_client(sync_client=True) as client:
        return tuple(_registration(client, entry) for entry in find_entries())


def _registration(client: SyncPrefectClient, entry: dict[str, Any]) -> Registration:
    flow = load_flow(entry["entrypoint"])
    name = f"{flow.name}/{entry['name']}"
    try:
        found = client.read_deployment_by_name(name)
    except ObjectNotFound:
        return Registration(name=name, registered=False)
    wanted, there = _wanted(entry, form_of(flow)), _there(found)
    differs = tuple(what for what in wanted if wanted[what] != there[what])
    return Registration(name=name, registered=True, paused=found.paused, differs=differs)


def _wanted(entry: dict[str, Any], form: dict[str, Any]) -> dict[str, Any]:
    limit = entry.get("concurrency_limit", {})
    return {
        "form": form,
        "entrypoint": entry["entrypoint"],
        "parameters": entry.get("parameters", {}),
        "description": entry["description"],
        "tags": sorted(entry["tags"]),
        "schedules": sorted((each["slug"], each["cron"], each["timezone"]) for each in entry.get("schedules", ())),
        "concurrency limit": (limit.get("limit"), limit.get("collision_strategy")),
        "work pool": entry["work_pool"]["name"],
        "job variables": entry["work_pool"]["job_variables"],
    }


def _there(found: DeploymentResponse) -> dict[str, Any]:
    limit, options = found.global_concurrency_limit, found.concurrency_options
    schedules = [
        (each.slug, *(getattr(each.schedule, field, "") for field in ("cron", "timezone"))) for each in found.schedules
    ]
    return {
        "form": found.parameter_openapi_schema,
        "entrypoint": found.entrypoint,
        "parameters": found.parameters,
        "description": found.description,
        "tags": sorted(found.tags),
        "schedules": sorted(schedules),
        "concurrency limit": (limit and limit.limit, options and options.collision_strategy),
        "work pool": found.work_pool_name,
        "job variables": found.job_variables,
    }


def find_pool_problem(work_pool: str) -> str:
    """Why no run of the work pool would begin, and what to do; empty when one would."""
    with get_client(sync_client=True) as client:
        try:
            pool = client.read_work_pool(work_pool)
        except ObjectNotFound:
            return f"work pool {work_pool} does not exist; `tyrell deployments apply` makes it"
        if pool.is_paused:
            return f"work pool {work_pool} is paused; `prefect work-pool resume {work_pool}` has its runs begin again"
        online = WorkerFilter(status=WorkerFilterStatus(any_=["ONLINE"]))
        if not client.read_workers_for_work_pool(work_pool, worker_filter=online):
            return f"work pool {work_pool} has no worker; `prefect worker start --pool {work_pool}` starts one"
    return ""


def register_all() -> None:
    """Have Prefect register every deployment of the file, as it is chosen. Raises TyrellError."""
    _prefect("--no-prompt", "deploy", "--prefect-file", str(FILE), "--all")


def _prefect(*words: str) -> None:
    command = [sys.executable, "-m", "prefect", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LONGEST, check=False)
    if done.returncode:
        said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        raise TyrellError(f"`prefect {' '.join(words)}` failed: {said[-1].strip() if said else 'it said nothing'}")
