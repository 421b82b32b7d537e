"""Flow runs whose process has died and whom nobody could tell: the machine is gone, or the worker was ended too.

Every process of a run sends heartbeats (https://docs.prefect.io/v3/advanced/detect-zombie-flows), at its start and
then every 180 s by default. Only the run's state now tells whether one is to be expected: an automation that goes by
the order of events takes a run that was suspended right after a heartbeat for dead.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.sorting import FlowRunSort
from prefect.events.filters import EventFilter
from prefect.states import Crashed

from tasks.model import Changes
from tasks.steps import step

UNFINISHED = FlowRunFilter.model_validate({"state": {"type": {"any_": ["RUNNING", "PAUSED", "CANCELLING"]}}})
WITHOUT_PROCESS = "Suspended"
"""The name of the state of a run whose process has ended, so that another one goes on when somebody resumes it."""


@step("mark dead runs", system="prefect")
def crash_dead_runs(after: timedelta) -> Changes:
    """Mark every run as crashed whose last heartbeat is older than `after`, and the runs inside of it.

    A run that has never sent one is left alone.
    """
    changes: Changes = ()
    with get_client(sync_client=True) as client:
        unfinished = client.read_flow_runs(flow_run_filter=UNFINISHED, sort=FlowRunSort.START_TIME_ASC)
        alive = {run.id for run in unfinished}
        for run in unfinished:  # whoever was started by another one comes after it
            if why := _dead(client, run, alive, after):
                client.set_flow_run_state(run.id, Crashed(message=why))
                alive.remove(run.id)
                changes += (f"marked the run `{run.name}` as crashed: {why}",)
    return changes


def _dead(client: SyncPrefectClient, run: FlowRun, alive: set[UUID], after: timedelta) -> str:
    """Why nobody does the run's work any more; empty when somebody does or will do, or nobody can tell."""
    if run.state is None or run.state.name == WITHOUT_PROCESS:
        return ""
    if run.parent_task_run_id and not run.deployment_id:  # in the process of the run that it is a part of
        parent = client.read_task_run(run.parent_task_run_id).flow_run_id
        return "" if parent in alive else "the run that it is a part of is over"
    heard = _last_heartbeat(client, run.id)
    if heard is None:
        return ""
    silent = datetime.now(UTC) - max(heard, run.state.timestamp)
    return f"no heartbeat of its process since {heard:%F %T} UTC" if silent > after else ""


def _last_heartbeat(client: SyncPrefectClient, run: UUID) -> datetime | None:
    heartbeats = EventFilter.model_validate(
        {"event": {"name": ["prefect.flow-run.heartbeat"]}, "resource": {"id": [f"prefect.flow-run.{run}"]}}
    )
    found = client.read_events(filter=heartbeats, limit=1).events
    return found[0].occurred if found else None
