"""`tyrell calendar`: when a stack may be changed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tyrell.environment import Cloud
from tyrell.options import DEMO, CloudOption, Json, StackArgument, checked_stack, enter_prefect
from tyrell.run import out, print_json, sentences

# See versions_cli.py.
# ruff: noqa: PLC0415

app = typer.Typer(help="When a stack may be changed: weekly windows and freezes.", no_args_is_help=True)


@app.command()
def show(stack: StackArgument = DEMO, cloud: CloudOption = Cloud.auto, json: Json = False) -> None:
    """Show the stack's calendar, and what it holds now until when."""
    with sentences():
        enter_prefect(cloud)
        from datetime import UTC, datetime

        from tasks.calendar import find_hold
        from tasks.calendar_store import find_calendar

        calendar = find_calendar(checked_stack(stack))
        if json:
            print_json(calendar and calendar.model_dump(mode="json", by_alias=True))
            return
        if calendar is None:
            _say(f"{stack} has no calendar: it may be changed at any time")
            return
        for window in calendar.windows:
            _say(f"window  {window} {calendar.timezone}")
        for freeze in calendar.freezes:
            until = calendar.says(freeze.until) if freeze.until else "somebody ends it"
            _say(f"freeze  from {calendar.says(freeze.start)} until {until}: {freeze.reason}")
        _say(f"holds   {', '.join(calendar.holds) or 'nothing'}")
        hold = next(filter(None, (find_hold(calendar, kind, datetime.now(UTC)) for kind in calendar.holds)), None)
        opening = f"the next opening is {hold.opening}" if hold and hold.opening else "there is no next opening"
        _say(f"now     {hold.reason}; {opening}" if hold else "now     open")


@app.command(name="set")
def set_(
    file: Annotated[Path, typer.Argument(help="The calendar as JSON; docs/calendar.md says what it holds.")],
    stack: StackArgument = DEMO,
    cloud: CloudOption = Cloud.auto,
) -> None:
    """Make FILE the stack's calendar."""
    with sentences():
        enter_prefect(cloud)
        from json import JSONDecodeError, loads

        from tasks.calendar_store import parse_calendar, save_calendar
        from tasks.errors import CalendarInvalid, UsageError

        name = checked_stack(stack)
        try:
            calendar = parse_calendar(loads(file.read_text()), str(file))
        except JSONDecodeError as error:
            raise CalendarInvalid(str(file), f"it is no JSON: {error}") from None
        except FileNotFoundError:
            raise UsageError(f"there is no file {file}") from None
        save_calendar(name, calendar)
        _say(f"{name} has the calendar of {file}")


@app.command()
def clear(stack: StackArgument = DEMO, cloud: CloudOption = Cloud.auto) -> None:
    """Delete the stack's calendar: it may be changed at any time again."""
    with sentences():
        enter_prefect(cloud)
        from tasks.calendar_store import clear_calendar

        there = clear_calendar(checked_stack(stack))
        _say(f"{stack} has no calendar any more" if there else f"{stack} had no calendar")


def _say(line: str) -> None:
    out.print(line, highlight=False, soft_wrap=True)
