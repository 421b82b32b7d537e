"""Queues and their workers as people read them."""

from __future__ import annotations

from datetime import timedelta

from rich.table import Table

from tasks.workers import Crew
from tyrell.run import out, print_json


def show_crews(crews: tuple[Crew, ...], *, json: bool) -> None:
    """A table, and below it what keeps whom from working; or JSON, where ages are seconds."""
    if json:
        print_json([_facts(crew) for crew in crews])
        return
    table = Table(title="workers", title_justify="left", title_style="bold")
    for heading in ("role", "version", "waiting", "in flight", "oldest", "dead letters", "workers"):
        table.add_column(heading, overflow="fold")
    for crew in crews:
        table.add_row(
            crew.role,
            crew.version or "–",
            str(crew.waiting),
            str(crew.in_flight),
            _shown(crew.age),
            str(crew.dead_letters),
            f"{crew.working}/{crew.desired}",
        )
    out.print(table)
    for crew in crews:
        known = any(crew.paused in problem for problem in crew.problems)
        for note in (crew.paused, *crew.problems) if crew.paused and not known else crew.problems:
            out.print(f"[yellow]![/] {crew.role}: {note}", highlight=False, soft_wrap=True)


def _facts(crew: Crew) -> dict[str, object]:
    return crew.model_dump() | {"age": crew.age.total_seconds() if crew.age is not None else None}


def _shown(age: timedelta | None) -> str:
    return "–" if age is None else str(timedelta(seconds=int(age.total_seconds())))
