"""Whether the command that runs is only planned, and what then happens in place of its flow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import typer


@dataclass
class Planning:
    """What is wanted of the plan, and whether it was made."""

    file: Path | None
    """Where to write it as well."""
    made: bool = False


_planning: ContextVar[Planning | None] = ContextVar("planning", default=None)


def is_planned() -> bool:
    """Whether the command is only to be planned: nobody is asked, and nothing may be changed."""
    return _planning.get() is not None


@contextmanager
def planning(file: Path | None) -> Iterator[Planning]:
    """Commands inside plan their flow and end, instead of running it."""
    wanted = Planning(file)
    token = _planning.set(wanted)
    try:
        yield wanted
    finally:
        _planning.reset(token)


def end_with_plan(flow: Any, arguments: tuple[Any, ...], *, json: bool) -> NoReturn:
    """Show the plan of the flow with these arguments, write it where it is wanted, and end the command."""
    from tasks.planning.making import make_plan  # noqa: PLC0415  imports Prefect
    from tyrell.show_plan import show_plan  # noqa: PLC0415

    wanted = _planning.get()
    plan = make_plan(flow.name, flow.fn, *arguments)
    if wanted and wanted.file:
        wanted.file.write_text(plan.model_dump_json(indent=2) + "\n")
    show_plan(plan, wanted.file if wanted else None, json=json)
    if wanted:
        wanted.made = True
    raise typer.Exit
