"""The whole fault matrix: `python -m tests.faults` makes every cell and writes `docs/fault-matrix.md`.

`--only COMMAND` makes the rows of one command anew and keeps the others. Every cell is kept as soon as it is made. Ends
with 1 when one is not as it has to be.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from tests.faults.cells import Stage, Trouble
from tests.faults.commands import COMMANDS
from tests.faults.stage import stage
from tests.faults.table import Cell, keep, kept


def cells(theatre: Stage, command: str) -> Iterator[Cell]:
    """Every cell of the command, as it gets ready."""
    for write in theatre.rehearse(command):
        for trouble in Trouble:
            if write.can(trouble):
                began, at = time.monotonic(), datetime.now(UTC)
                problems = tuple(theatre.disturb(write, trouble))
                seconds = time.monotonic() - began
                yield Cell(write=write, trouble=trouble, problems=problems, at=at, seconds=seconds)


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("--only", choices=COMMANDS, help="the rows of this command; without it of all")
    only = parser.parse_args().only
    commands = [only] if only else list(COMMANDS)
    made = [cell for cell in kept() if cell.write.command not in commands]
    with stage() as theatre:
        for command in commands:
            for cell in cells(theatre, command):
                made.append(cell)
                keep(made)
                sys.stdout.write(f"{cell}\n")
                sys.stdout.flush()
    return int(any(cell.problems for cell in made))


if __name__ == "__main__":
    sys.exit(main())
