"""What is happening, while it happens: one line per step with the reason for each wait, live on a terminal."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from prefect.context import TaskRunContext
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

WATCHED = ("tasks", "prefect.task_runs")
FINISHED = "Finished in state "
SHOWN_DONE = 12
"""How many finished steps stay in view."""


@dataclass
class Step:
    """A step of the flow as the view knows it."""

    name: str
    message: str = ""
    state: str = ""
    started: float = field(default_factory=time.monotonic)
    ended: float = 0.0

    @property
    def seconds(self) -> float:
        """How long it took, or has taken so far."""
        return (self.ended or time.monotonic()) - self.started


def _age(context: TaskRunContext | None) -> float:
    """Seconds that a step had run before it said its first word."""
    return (datetime.now(UTC) - context.start_time).total_seconds() if context else 0.0


class LiveView(logging.Handler):
    """A context that shows the steps of the flow run inside it: a live table, or plain lines where nobody watches."""

    def __init__(self, title: str, console: Console) -> None:
        super().__init__(logging.INFO)
        self._title = title
        self._console = console
        self._steps: dict[str, Step] = {}
        self._started = time.monotonic()
        self._live = Live(get_renderable=self._render, console=console, refresh_per_second=8, transient=False)

    def __enter__(self) -> LiveView:
        """Listen, and take over the terminal."""
        for name in WATCHED:
            logging.getLogger(name).addHandler(self)
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the last picture on the screen."""
        for name in WATCHED:
            logging.getLogger(name).removeHandler(self)
        if self._console.is_terminal:
            self._live.stop()

    def emit(self, record: logging.LogRecord) -> None:
        """A step says something, or Prefect says that it ended."""
        context = TaskRunContext.get()
        name = getattr(record, "task_run_name", "") or (context.task_run.name if context else self._title)
        step = self._steps.setdefault(name, Step(name, started=time.monotonic() - _age(context)))
        message = record.getMessage()
        if not record.name.startswith("prefect"):
            step.message = message
        elif message.startswith(FINISHED):
            step.state = message.removeprefix(FINISHED).split("(")[0]
            step.ended = time.monotonic()
        elif record.levelno >= logging.WARNING:
            step.message = message.splitlines()[0]
        else:
            return
        if not self._console.is_terminal:
            self._console.print(self._line(step), highlight=False, soft_wrap=True)

    def _line(self, step: Step) -> str:
        if step.state:
            return f"{step.state.lower():>10}  {step.name} ({step.seconds:.1f} s)"
        return f"{'...':>10}  {step.name}: {step.message}"

    def _render(self) -> RenderableType:
        steps = list(self._steps.values())
        done = [step for step in steps if step.state][-SHOWN_DONE:]
        table = Table.grid(padding=(0, 1))
        for step in done + [step for step in steps if not step.state]:
            table.add_row(*self._cells(step))
        return Group(Text(f"{self._title}  {time.monotonic() - self._started:.0f} s", style="bold"), table)

    def _cells(self, step: Step) -> tuple[Any, ...]:
        seconds = Text(f"{step.seconds:5.1f} s", style="dim")
        if not step.state:
            return Spinner("dots"), seconds, Text(step.name), Text(step.message, style="yellow", overflow="ellipsis")
        good = step.state == "Completed"
        mark = Text("✓", style="green") if good else Text("✗", style="red")
        return mark, seconds, Text(step.name), Text("" if good else step.message, style="red")
