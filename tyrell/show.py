"""Results as people read them."""

from __future__ import annotations

from typing import Any

from prefect import Flow
from rich.table import Table

from tasks.locks import Lock
from tasks.model import Changes, Overview
from tasks.retiring import find_retirable
from tasks.roles import load_role
from tasks.standing import Standing
from tyrell.run import out, print_json, run_flow


def show_overview(overview: Overview) -> None:
    """The table of a stack's versions, what is wrong below it, and where the stack answers."""
    table = Table(title=f"stack {overview.stack}", title_justify="left", title_style="bold")
    for heading in ("role", "version", "group", "healthy/desired", "machines", "traffic"):
        table.add_column(heading, overflow="fold")
    for row in overview.rows:
        table.add_row(
            row.role,
            row.version,
            row.group,
            _share(row.healthy, row.wanted),
            _share(row.machines, row.desired),
            "–" if row.traffic is None else f"{row.traffic} %",
        )
    out.print(table)
    for row in overview.rows:
        for problem in row.problems:
            out.print(f"[yellow]![/] {row.role} {row.version}: {problem}", highlight=False, soft_wrap=True)
    out.print(f"load balancer  {overview.url}", highlight=False)


def _share(part: int, whole: int) -> str:
    return f"[{'green' if part >= whole else 'yellow'}]{part}/{whole}[/]"


def run_and_show(
    title: str, flow: Flow[..., Changes], *arguments: Any, facts: dict[str, str], undo: str = "", json: bool
) -> None:
    """Run a flow that changes something and print what it changed; as JSON together with the `facts`."""
    changes = run_flow(title, flow, *arguments, undo=undo, quiet=json)
    if json:
        print_json({**facts, "changes": changes})
    else:
        show_changes(changes)


def show_changes(changes: Changes) -> None:
    """What was changed, a line each."""
    for change in changes:
        out.print(f"  {change}", highlight=False)
    if not changes:
        out.print("nothing changed: everything is as wanted")


def show_standings(role: str, standings: tuple[Standing, ...]) -> None:
    """The versions of one role, the live one first."""
    table = Table(title=f"versions of {role}", title_justify="left", title_style="bold")
    for heading in ("version", "release", "state", "healthy/desired", "traffic"):
        table.add_column(heading, overflow="fold")
    for each in standings:
        traffic = "–" if each.traffic is None else f"{each.traffic} %"
        table.add_row(each.version, each.release, each.state, _share(each.healthy, each.wanted), traffic)
    out.print(table if standings else f"{role} has no version")


def show_locks(locks: tuple[Lock, ...]) -> None:
    """Who changes what, one line each."""
    for lock in locks:
        since = f"{lock.since.astimezone():%F %T}"
        out.print(f"{lock.role}  {lock.holder}  since {since}  {lock.doing}", highlight=False)
    if not locks:
        out.print("nothing is locked")


def show_due(stack: str, roles: tuple[str, ...], *, json: bool) -> None:
    """What `tyrell prune --yes` would do."""
    due = [each for role in roles for each in find_retirable(stack, load_role(role))]
    if json:
        print_json([each.model_dump() for each in due])
        return
    for each in due:
        out.print(f"  would {each.fate} {each.version.role} {each.version.id}: {each.why}", highlight=False)
    out.print("`tyrell prune --yes` does it" if due else "nothing is due: every idle version is kept for now")
