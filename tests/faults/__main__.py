"""The fault matrix: `python -m tests.faults` makes every cell that is not made yet and writes `docs/fault-matrix.md`.

Every cell is kept as soon as it is made: a run that was stopped goes on where it was. `--only ROUND` makes the rows
of one round of commands. Ends with 1 when a cell is not as it has to be.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product

from tests.faults.cells import Stage
from tests.faults.rounds import ROUNDS, Command, Round
from tests.faults.stage import stage
from tests.faults.table import Cell, keep, kept
from tests.faults.troubles import Trouble, Write


def cells(theatre: Stage, played: Round, made: list[Cell]) -> Iterator[Cell]:
    """Every cell of the round that is not made yet, as it gets ready; each time round every command meets one."""
    known = {(cell.write, cell.trouble) for cell in made}
    writes = theatre.rehearse(played)
    left = {
        command: [(write, trouble) for trouble, write in product(Trouble, writes[command.name]) if write.can(trouble)]
        for command in played.commands
    }
    left = {command: [each for each in open_ if each not in known][::-1] for command, open_ in left.items()}
    while any(left.values()):
        for command in played.commands:
            if not left[command]:
                theatre.play(command)
                continue
            cell = _cell(theatre, played, command, *left[command].pop())
            yield cell
            if cell.problems:
                spoilt = theatre.mend(played)
                assert not spoilt, f"cannot be put back: {spoilt}"
                break


def _cell(theatre: Stage, played: Round, command: Command, write: Write, trouble: Trouble) -> Cell:
    began, at = time.monotonic(), datetime.now(UTC)
    try:
        problems = tuple(theatre.disturb(played, command, write, trouble))
    except AssertionError as error:
        problems = (str(error),)
    return Cell(write=write, trouble=trouble, problems=problems, at=at, seconds=time.monotonic() - began)


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("--only", choices=ROUNDS, help="the rows of this round of commands; without it of all")
    only = parser.parse_args().only
    made = kept()
    with stage() as theatre:
        for name in [only] if only else ROUNDS:
            for cell in cells(theatre, ROUNDS[name], made):
                made.append(cell)
                keep(made)
                sys.stdout.write(f"{cell} ({cell.seconds:.0f} s)\n")
                sys.stdout.flush()
    return int(any(cell.problems for cell in made))


if __name__ == "__main__":
    sys.exit(main())
