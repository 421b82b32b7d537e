"""What an update of a stack would do, and has done, as people read it."""

from __future__ import annotations

from collections.abc import Collection

from rich.table import Table

from tasks.change_sets import Change
from tasks.updates import Update
from tyrell.run import out

REPLACED = {"True": "yes", "False": "no", "Conditional": "perhaps"}


def show_update(update: Update, named: Collection[str]) -> None:
    """The table of the resources that change; `named` may go."""
    if not update.needed:
        out.print(f"stack {update.stack} is as wanted: nothing to do")
        return
    table = Table(title=f"update of stack {update.stack}", title_justify="left", title_style="bold")
    for heading in ("stack", "resource", "type", "change", "replaced", "why"):
        table.add_column(heading, overflow="fold")
    for change in update.changes:
        replaced = REPLACED.get(change.replacement, "–")
        table.add_row(change.stack, _marked(change, named), change.type, change.action.lower(), replaced, change.told)
    if update.changes:
        out.print(table)
    for other in update.others:
        out.print(f"stack {other}: no resource changes, only outputs", highlight=False)
    if renewal := update.renewal:
        steps = f"core-services: {renewal.live} → {renewal.version.id}, one member at a time"
        out.print(f"{steps} ({', '.join(renewal.because)})", highlight=False)


def _marked(change: Change, named: Collection[str]) -> str:
    if not change.loses:
        return change.logical_id
    return f"[{'yellow' if change.logical_id in named else 'red'}]{change.logical_id}[/]"
