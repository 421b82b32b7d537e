"""A person's yes: the run waits in Prefect until somebody answers there, or the time is up."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from prefect import pause_flow_run
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.sorting import FlowRunSort
from prefect.exceptions import FlowPauseTimeout
from prefect.flow_runs import resume_flow_run
from prefect.input import RunInput
from pydantic import Field

from tasks.errors import NotFound, Refused
from tasks.waits import announcing


class Approval(RunInput):
    """What a person answers; the form in the Prefect UI."""

    decision: Literal["yes", "no"] = Field(default="no", description="Whether the run may go on")
    approver: str = Field(min_length=2, description="Who decides")
    note: str = Field(default="", description="Why")


def await_approval(what: str, question: str, timeout: timedelta) -> str:
    """Pause the flow run until somebody answers the `question` (markdown); returns who said yes and why.

    Raises Refused when the answer is no, or there is none in time.
    """
    form = Approval.with_initial_data(description=question)
    unanswered = "nobody has answered yet; the Prefect UI and `tyrell approve` can"
    with announcing(f"a person's yes to {what}", unanswered, timeout):
        try:
            answer = pause_flow_run(wait_for_input=form, timeout=int(timeout.total_seconds()), poll_interval=1)
        except FlowPauseTimeout:
            raise Refused(what, f"nobody answered within {timeout}") from None
    if answer is None or answer.decision == "no":
        said = f"{answer.approver} said no: {answer.note or 'without a note'}" if answer else "no answer"
        raise Refused(what, said)
    return f"{answer.approver} approved {what}{': ' + answer.note if answer.note else ''}"


def answer_approval(stack: str, role: str, approval: Approval) -> str:
    """Answer the upgrade of the role that waits for a yes; returns the run's name. Raises NotFound when none waits."""
    run = _find_waiting(stack, role)
    resume_flow_run(run.id, run_input=approval.model_dump())
    return run.name


def _find_waiting(stack: str, role: str) -> FlowRun:
    paused = FlowRunFilter.model_validate({"state": {"type": {"any_": ["PAUSED"]}}})
    with get_client(sync_client=True) as client:
        found = client.read_flow_runs(flow_run_filter=paused, sort=FlowRunSort.START_TIME_DESC)
    for run in found:
        if (run.parameters.get("stack"), run.parameters.get("role")) == (stack, role):
            return run
    raise NotFound(f"an upgrade of {role} on {stack} that waits for approval", "the Prefect UI shows all runs")
