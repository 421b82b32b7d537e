"""The fault matrix: `python -m tests.faults` makes every cell that is not made yet and writes `docs/fault-matrix.md`.

Every cell is kept as soon as it is made: a run that was stopped goes on where it was. `--only COMMAND` makes the rows
of one command. Ends with 1 when a cell is not as it has to be.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product

from tests.faults.cells import Stage, Trouble
from tests.faults.commands import COMMANDS
from tests.faults.stage import stage
from tests.faults.table import Cell, keep, kept


def cells(theatre: Stage, command: str, made: list[Cell]) -> Iterator[Cell]:
    """Every cell of the command that is not made yet, as it gets ready; column by column."""
    known = {(cell.write, cell.trouble) for cell in made}
    for trouble, write in product(Trouble, theatre.rehearse(command)):
        if write.can(trouble) and (write, trouble) not in known:
            began, at = time.monotonic(), datetime.now(UTC)
            problems = tuple(theatre.disturb(write, trouble))
            seconds = time.monotonic() - began
            yield Cell(write=write, trouble=trouble, problems=problems, at=at, seconds=seconds)


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("--only", choices=COMMANDS, help="the rows of this command; without it of all")
    only = parser.parse_args().only
    made = kept()
    with stage() as theatre:
        for command in [only] if only else COMMANDS:
            for cell in cells(theatre, command, made):
                made.append(cell)
                keep(made)
                sys.stdout.write(f"{cell}\n")
                sys.stdout.flush()
    return int(any(cell.problems for cell in made))


if __name__ == "__main__":
    sys.exit(main())
