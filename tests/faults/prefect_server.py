"""The Prefect server, when somebody presses *Cancel* in its pages."""

from __future__ import annotations

import os

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Cancelling

RUNNING = FlowRunFilter.model_validate({"state": {"type": {"any_": ["RUNNING"]}}})


def cancel_what_runs() -> None:
    """Cancel every run that is not over."""
    ours = temporary_settings({PREFECT_API_URL: os.environ["PREFECT_API_URL"]})  # Prefect was imported before
    with ours, get_client(sync_client=True) as client:
        for run in client.read_flow_runs(flow_run_filter=RUNNING):
            client.set_flow_run_state(run.id, Cancelling())
