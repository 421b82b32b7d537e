"""The calendar of a stack, asked by every flow that it can hold before that changes anything."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import httpx
from prefect.artifacts import create_markdown_artifact
from prefect.runtime import flow_run
from prefect.settings import PREFECT_API_URL

from tasks.artifact_keys import What, artifact_key
from tasks.calendar import Hold, Kind, find_hold
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
    hold = _find_hold(stack, kind)
    if hold and not override.strip():
        raise CalendarHolds(stack, kind, hold.reason, hold.opening)
    if hold:
        record_override(stack, f"{kind} of {stack} went on though it is {hold.reason}: {override.strip()}")
    if run[0]:
        _begun.add(run)


def foresee_hold(stack: StackName, kind: Kind, override: str) -> tuple[str, ...]:
    """What the calendar says to that kind of change now, for people who plan one that may begin at another time."""
    if not PREFECT_API_URL.value():
        return (f"nobody knows whether the calendar of {stack} lets it begin: no Prefect server is chosen",)
    try:
        hold = _find_hold(stack, kind)
    except httpx.HTTPError as error:
        return (f"nobody knows whether the calendar of {stack} lets it begin: the Prefect server said {error}",)
    if hold and override.strip():
        return (f"it would go on though {stack} is {hold.reason}, and that is recorded: {override.strip()}",)
    return (f"now it would be refused: {CalendarHolds(stack, kind, hold.reason, hold.opening)}",) if hold else ()


def _find_hold(stack: StackName, kind: Kind) -> Hold | None:
    calendar = find_calendar(stack)
    return find_hold(calendar, kind, datetime.now(UTC)) if calendar else None


@step("override of the calendar of {stack}", system="artifacts")
def record_override(stack: StackName, sentence: str) -> None:
    """Keep who went past the calendar, and why: in the log, as an artifact of the run, and next to the metrics."""
    logger.warning(sentence)
    key = artifact_key(What.OVERRIDE, stack)
    create_markdown_artifact(sentence, key=key, description=f"The calendar of {stack} was overridden")
    annotate_stack(stack, "override", sentence)
