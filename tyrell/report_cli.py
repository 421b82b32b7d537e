"""`tyrell metrics report`: what a stack's metrics say, as pictures."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tyrell.environment import Cloud
from tyrell.options import CloudOption, Json, StackArgument, checked_stack, enter
from tyrell.run import out, print_json, run_flow, sentences

if TYPE_CHECKING:
    from datetime import timedelta

# See versions_cli.py.
# ruff: noqa: PLC0415

UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def report(
    stack: StackArgument,
    since: Annotated[str, typer.Option(help="How far back, such as 90m, 24h or 7d.")] = "24h",
    file: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE.png", help="Makes FILE-routers.png and so on; default: STACK.png."),
    ] = None,
    cloud: CloudOption = Cloud.auto,
    json: Json = False,
) -> None:
    """Draw what Grafana would show of the stack: one picture for each dashboard."""
    with sentences():
        enter(cloud)
        from flows.metrics_report import metrics_report

        period, where = as_period(since), checked_picture(file or Path(f"{stack}.png"))
        files = run_flow(f"metrics of {stack}", metrics_report, checked_stack(stack), period, where, quiet=json)
        if json:
            print_json([str(file) for file in files])
        else:
            for written in files:
                out.print(f"  {written}", highlight=False, markup=False, soft_wrap=True)


def as_period(text: str) -> timedelta:
    """The time that `90m`, `24h` or `7d` says. Raises UsageError for other texts, and for no time or above a year."""
    from datetime import timedelta

    from tasks.errors import UsageError

    said = re.fullmatch(r"(\d{1,6})([mhd])", text)
    period = timedelta(**{UNITS[said[2]]: int(said[1])}) if said else timedelta()
    if not timedelta() < period <= timedelta(days=366):
        raise UsageError(f"--since {text} is no time up to a year; write minutes, hours or days, as 90m, 24h or 7d")
    return period


def checked_picture(file: Path) -> Path:
    """The file's whole path. Raises UsageError when no PNG can be written there."""
    from tasks.errors import UsageError

    if file.suffix != ".png":
        raise UsageError(f"--out {file} must end with .png: the report is made of PNG pictures")
    if not file.absolute().parent.is_dir():
        raise UsageError(f"--out {file}: there is no folder {file.parent}; make it first")
    return file.absolute()
