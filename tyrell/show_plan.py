"""A plan as people read it."""

from __future__ import annotations

from pathlib import Path

from rich.markup import escape
from rich.table import Table

from tasks.planning.plan import Plan
from tasks.planning.telling import cost_line, duration, facts_line, twice_lines
from tyrell.run import out, print_json


def show_plan(plan: Plan, file: Path | None, *, json: bool) -> None:
    """What would be done, how long it takes, what runs twice and what it costs; then how to have it done."""
    if json:
        print_json(plan.model_dump(mode="json"))
        return
    draft = plan.draft
    if not draft.steps:
        _say("nothing would be done: everything is as wanted")
        return
    out.print(_steps(plan))
    for change in draft.changes:
        _say(f"{change.stack} {change.logical_id} ({change.type}): {change.told}")
    for line in (*draft.seen, *twice_lines(draft), cost_line(plan), facts_line(draft)):
        _say(line)
    _say(f"`tyrell apply {file}` does exactly that" if file else "`--out FILE` keeps this plan for `tyrell apply FILE`")


def _steps(plan: Plan) -> Table:
    title = f"{plan.flow} {plan.draft.of}: nothing is changed yet"
    table = Table(title=title, title_justify="left", title_style="bold", show_footer=True)
    table.add_column("", justify="right")
    table.add_column("step", footer="all of it", overflow="fold")
    table.add_column("at least", footer=duration(plan.draft.least), justify="right")
    table.add_column("at most", footer=duration(plan.draft.most), justify="right")
    for number, step in enumerate(plan.draft.steps, start=1):
        table.add_row(str(number), escape(step.what), duration(step.least), duration(step.most))
    return table


def _say(line: str) -> None:
    out.print(line, highlight=False, soft_wrap=True, markup=False)
