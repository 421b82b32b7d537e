"""A stack's calendar as a variable of the Prefect server, where people can see and edit it."""

from __future__ import annotations

from typing import Any

from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import VariableCreate, VariableUpdate
from pydantic import ValidationError

from tasks.calendar import Calendar
from tasks.errors import CalendarInvalid
from tasks.model import StackName


def variable_of(stack: StackName) -> str:
    """The variable's name; Prefect takes no dashes, stacks have no underscores."""
    return f"tyrell_calendar_{stack.replace('-', '_')}"


def parse_calendar(value: Any, where: str) -> Calendar:
    """A calendar from what JSON holds. Raises CalendarInvalid, which says what is wrong `where`."""
    try:
        return Calendar.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        said = f"{place}: {first['msg'].removeprefix('Value error, ')}".removeprefix(": ")
        raise CalendarInvalid(where, said) from None


def find_calendar(stack: StackName) -> Calendar | None:
    """The stack's calendar; None when it has none. Raises CalendarInvalid when somebody broke it."""
    name = variable_of(stack)
    with get_client(sync_client=True) as client:
        found = client.read_variable_by_name(name)
    return parse_calendar(found.value, f"the calendar of {stack} (Prefect variable {name})") if found else None


def save_calendar(stack: StackName, calendar: Calendar) -> None:
    """Make it the stack's calendar, in place of what it had."""
    name, value = variable_of(stack), calendar.model_dump(mode="json", by_alias=True)
    with get_client(sync_client=True) as client:
        if client.read_variable_by_name(name):
            client.update_variable(VariableUpdate(name=name, value=value))
        else:
            client.create_variable(VariableCreate(name=name, value=value, tags=["tyrell"]))


def clear_calendar(stack: StackName) -> bool:
    """Delete the stack's calendar, valid or not; whether there was one."""
    name = variable_of(stack)
    with get_client(sync_client=True) as client:
        if not client.read_variable_by_name(name):
            return False
        client.delete_variable_by_name(name)
        return True
