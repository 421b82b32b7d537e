"""Making a plan of a flow's run, and holding it against the world later."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from tasks.calendar import KINDS
from tasks.calendar_checks import foresee_hold
from tasks.clients import cloudformation, sts
from tasks.errors import UsageError
from tasks.locks import me
from tasks.planning.plan import Plan
from tasks.planning.planners import PLANNERS, draft_of
from tasks.planning.prices import costs_of

AGAIN = "make it anew with `tyrell plan COMMAND --out FILE`"


def make_plan(flow: str, function: Callable[..., object], *arguments: Any) -> Plan:
    """What the flow of that name, with that function, would do with these arguments; nothing is changed.

    Raises what the flow would raise before it changes anything.
    """
    given = all_parameters(function, *arguments)
    draft = draft_of(flow, given)
    seen = (*draft.seen, *_foresee_hold(flow, given))
    parameters = TypeAdapter(dict[str, Any]).dump_python(given, mode="json")
    return Plan(
        flow=flow,
        parameters={**parameters, **draft.fixes},
        by=me(),
        at=datetime.now(UTC).replace(microsecond=0),
        tyrell=version("tyrell"),
        cloud=this_cloud(),
        draft=draft.model_copy(update={"seen": seen}),
        costs=costs_of(draft, cloudformation().meta.region_name),
    )


def _foresee_hold(flow: str, given: dict[str, Any]) -> tuple[str, ...]:
    """What the stack's calendar says now: no fact, for a plan is often made before its window opens."""
    if flow not in KINDS:
        return ()
    stack = given["stack"]
    return foresee_hold(getattr(stack, "name", stack), flow, given["override_calendar"])


def all_parameters(function: Callable[..., object], *arguments: Any, **named: Any) -> dict[str, Any]:
    """What the function gets by these arguments, by name, defaults included. Raises TypeError."""
    given = inspect.signature(function).bind(*arguments, **named)
    given.apply_defaults()
    return given.arguments


def this_cloud() -> str:
    """The account and the endpoint that we talk to, for people who compare."""
    return f"account {sts().get_caller_identity()['Account']} at {cloudformation().meta.endpoint_url}"


def read_plan(file: Path) -> Plan:
    """The plan in that file. Raises UsageError when there is none in it, or it is not for here."""
    try:
        text = file.read_bytes()
    except OSError as error:
        raise UsageError(f"the plan {file} cannot be read: {error.strerror}; {AGAIN}") from None
    return parse_plan(text, str(file))


def parse_plan(text: str | bytes, source: str) -> Plan:
    """The plan that the `source` has as JSON. Raises UsageError when it is none, or not for here."""
    try:
        plan = Plan.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "all of it"
        raise UsageError(f"{source} is no plan: {where}: {first['msg']}; {AGAIN}") from None
    _check_fits_here(plan)
    return plan


def _check_fits_here(plan: Plan) -> None:
    """Raises UsageError when another Tyrell made the plan, it is of another cloud, or of no flow."""
    if plan.flow not in PLANNERS:
        raise UsageError(f"the plan is of a flow {plan.flow!r}, which there is not; {AGAIN}")
    if plan.tyrell != version("tyrell"):
        raise UsageError(f"the plan was made by Tyrell {plan.tyrell}, this is {version('tyrell')}; {AGAIN}")
    if plan.cloud != (here := this_cloud()):
        raise UsageError(f"the plan is for {plan.cloud}, and this is {here}; choose that cloud, or {AGAIN}")
