"""The fault matrix: its cells, kept as data, and as a page for people."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter

from tests.faults.rounds import COMMANDS
from tests.faults.steps import told
from tests.faults.troubles import Trouble, Write

DATA = Path(__file__).parents[2] / "docs" / "fault-matrix.json"
PAGE = DATA.with_suffix(".md")

ABOUT = """\
# What a run survives

Each row is one write of a command: the n-th time that it makes that call. Each column is what goes wrong just there,
once. A run that does not end well is made again; then everything of the stack is compared with what an undisturbed run
leaves: stacks, groups, sizes, tags, weights, health, rules, locks, machines, and how many buckets, queues, launch
templates, security groups and target groups there are. All the while tenants ask for something, and one request that
fails is a failure. The commands are processes, and kills are SIGKILLs of them; the lock of a run that was killed is
ended at once, as it ends by itself 20 s later. Killed after the call is killed before anything else is done.

Kills come at every write, other troubles at the first of each kind; commands on targets, and those on whole stacks,
meet only some of these. Steps that write to etcd or to machines make no call that a fault could be bound to: there the
trouble comes as soon as the run says that the step is done, the n-th time.

Made by `make faults`."""


class Cell(BaseModel):
    """One cell: what was not as after an undisturbed run, when it was made and how many seconds that took."""

    model_config = ConfigDict(frozen=True)

    write: Write
    trouble: Trouble
    problems: tuple[str, ...]
    at: datetime
    seconds: float

    def __str__(self) -> str:
        """A line of a log."""
        found = "; ".join(self.problems) or "ends well"
        return f"{self.write.command}, {self.write.call} {self.write.nth}, {self.trouble}: {found}"


CELLS: TypeAdapter[list[Cell]] = TypeAdapter(list[Cell])


def kept() -> list[Cell]:
    """The cells that earlier runs have made."""
    return CELLS.validate_json(DATA.read_bytes()) if DATA.exists() else []


def keep(cells: list[Cell]) -> None:
    """Write the cells, and the page of them."""
    DATA.parent.mkdir(exist_ok=True)
    DATA.write_bytes(CELLS.dump_json(cells, indent=1) + b"\n")
    PAGE.write_text(as_page(cells))


def as_page(cells: list[Cell]) -> str:
    """Markdown: when it was made, the table, what failed, and which steps have no row."""
    rows = sorted({cell.write for cell in cells})
    failed = [cell for cell in cells if cell.problems]
    times = sorted(f"{cell.at:%F %R}" for cell in cells)
    minutes = sum(cell.seconds for cell in cells) / 60
    made = {(cell.write, cell.trouble) for cell in cells}
    left = sum(write.can(each) and (write, each) not in made for write in rows for each in Trouble)
    lines = [
        *(ABOUT, ""),
        f"{len(rows)} writes, {len(cells) - len(failed)} of {len(cells)} cells end well, {left} more of these rows are"
        f" not run. {times[0]} to {times[-1]} UTC, {minutes:.0f} min of commands.",
        "",
        "| command | call | n | steps that make it |" + "".join(f" {trouble} |" for trouble in Trouble),
        "| --- | --- | --- | --- |" + " --- |" * len(Trouble),
        *(_row(write, cells) for write in rows),
        *("", "## What does not end well", ""),
        *([f"- {cell}" for cell in failed] or ["Nothing of what was run."]),
        *("", "## What is not in the table", ""),
        *_missing(rows),
    ]
    return "\n".join(lines) + "\n"


def _row(write: Write, cells: list[Cell]) -> str:
    made = {cell.trouble: "**fails**" if cell.problems else "ok" for cell in cells if cell.write == write}
    marks = [made.get(trouble, "not run" if write.can(trouble) else "–") for trouble in Trouble]
    steps = ", ".join(f"`{name}`" for name in told().making(write.call))
    return f"| {write.command} | `{write.call}` | {write.nth} | {steps} | {' | '.join(marks)} |"


def _missing(rows: list[Write]) -> list[str]:
    met = {name for write in rows for name in told().making(write.call)}
    without = [f"`{name}`" for name in told().writes if name not in met]
    other = [f"`{name}`" for names in told().elsewhere.values() for name in names if name not in met]
    begun = {write.command for write in rows}
    return [
        f"- Commands of which nothing was run: {', '.join(name for name in COMMANDS if name not in begun) or 'none'}.",
        f"- Steps whose calls none of these commands makes: {', '.join(without)}.",
        f"- Steps that write elsewhere and that none of these commands comes to: {', '.join(other)}.",
    ]
