"""The calendar of a stack, asked by every flow that it can hold before that changes anything."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from prefect.artifacts import create_markdown_artifact
from prefect.runtime import flow_run

from tasks.artifact_keys import What, artifact_key
from tasks.calendar import Kind, find_hold
from tasks.calendar_store import find_calendar
from tasks.errors import CalendarHolds
from tasks.model import StackName
from tasks.monitoring.annotations import annotate_stack
from tasks.steps import step

logger = logging.getLogger(__name__)

_begun: set[tuple[str, str]] = set()
"""Runs that have passed, each with the stack: what they consist of is not asked again, so that a release that began
in time is not left half-way between two roles when the window closes."""


def check_calendar(stack: StackName, kind: Kind, override: str) -> None:
    """Return when that kind of change may begin now, or goes on anyway for the reason in `override`, which is recorded.

    The parts of a run that has begun may begin, too. Raises CalendarHolds, or CalendarInvalid whatever `override` says.
    """
    run = (flow_run.root_flow_run_id or "", stack)
    if run in _begun:
        return
    calendar = find_calendar(stack)
    hold = calendar and find_hold(calendar, kind, datetime.now(UTC))
    if hold and not override.strip():
        raise CalendarHolds(stack, kind, hold.reason, hold.opening)
    if hold:
        record_override(stack, f"{kind} of {stack} went on though it is {hold.reason}: {override.strip()}")
    if run[0]:
        _begun.add(run)


@step("override of the calendar of {stack}", system="artifacts")
def record_override(stack: StackName, sentence: str) -> None:
    """Keep who went past the calendar, and why: in the log, as an artifact of the run, and next to the metrics."""
    logger.warning(sentence)
    key = artifact_key(What.OVERRIDE, stack)
    create_markdown_artifact(sentence, key=key, description=f"The calendar of {stack} was overridden")
    annotate_stack(stack, "override", sentence)
