"""A run whose process was killed is shown as crashed, with what is inside of it; nobody else is."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta

import httpx
import pytest

from flows.reap import reap
from tests.waiting import eventually

pytestmark = [pytest.mark.cloud, pytest.mark.flow]

SILENT = timedelta(seconds=15)
"""Longer than `reap` itself needs between its own heartbeat and its look."""


def state(api: httpx.Client, run: str) -> str:
    """The name of the run's state."""
    return str(api.get(f"/flow_runs/{run}").json()["state"]["name"])


def suspended(api: httpx.Client) -> str:
    """A run that was suspended, right after a heartbeat of long ago."""
    flow = api.post("/flows/", json={"name": "suspended"}).json()["id"]
    run = str(
        api.post("/flow_runs/", json={"flow_id": flow, "state": {"type": "PAUSED", "name": "Suspended"}}).json()["id"]
    )
    heartbeat = {
        "id": "00000000-0000-4000-8000-000000000001",
        "occurred": "2026-01-01T00:00:00Z",
        "event": "prefect.flow-run.heartbeat",
        "resource": {"prefect.resource.id": f"prefect.flow-run.{run}"},
    }
    api.post("/events", json=[heartbeat]).raise_for_status()
    return run


def has_heartbeat(api: httpx.Client, run: str) -> bool:
    """Whether the server has heard of the run's process."""
    wanted = {"event": {"name": ["prefect.flow-run.heartbeat"]}, "resource": {"id": [f"prefect.flow-run.{run}"]}}
    return bool(api.post("/events/filter", json={"filter": wanted}).json()["events"])


def test_a_run_whose_process_was_killed_is_marked_crashed(api: httpx.Client) -> None:
    environment = os.environ | {"PREFECT_API_URL": str(api.base_url).rstrip("/")}
    with subprocess.Popen(
        [sys.executable, "-m", "tests.flows.killed"],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        outside, inside = (process.stdout.readline().strip() for _ in range(2))
        eventually("its heartbeat to arrive", lambda: has_heartbeat(api, outside), 60)
        waiting = suspended(api)
        assert reap(timedelta(minutes=10)) == ()
        process.kill()
    assert (state(api, outside), state(api, inside)) == ("Running", "Running")

    eventually("the reaper to find it silent", lambda: reap(SILENT), 90)
    assert (state(api, outside), state(api, inside)) == ("Crashed", "Crashed")
    assert state(api, waiting) == "Suspended"
    told = api.get(f"/flow_runs/{outside}").json()["state"]["message"]
    assert told.startswith("no heartbeat of its process since ")
