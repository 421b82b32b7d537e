"""The cells of a round of commands, played one after the other on one stack."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product

from tests.faults.cells import Stage
from tests.faults.rounds import Command, Round
from tests.faults.table import Cell
from tests.faults.troubles import Trouble, Write

Known = set[tuple[Write, Trouble]]


def played_cells(theatre: Stage, played: Round, known: Known, share: tuple[int, int]) -> Iterator[Cell]:
    """Every cell of the round that is not known yet, as it gets ready; of `share` (k, n) only each n-th, from k on.

    Each time round every command meets one. The stack is left as it was.
    """
    with theatre.prepared(played) as writes:
        left = _open(writes, played, known, share)
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


def _open(
    writes: dict[str, list[Write]], played: Round, known: Known, share: tuple[int, int]
) -> dict[Command, list[tuple[Write, Trouble]]]:
    """What is still to play of each command, the first of it last."""
    first, each = share
    found = {}
    for command in played.commands:
        possible = [(write, trouble) for trouble, write in product(Trouble, writes[command.name]) if write.can(trouble)]
        found[command] = [cell for cell in possible[first::each] if cell not in known][::-1]
    return found


def _cell(theatre: Stage, played: Round, command: Command, write: Write, trouble: Trouble) -> Cell:
    began, at = time.monotonic(), datetime.now(UTC)
    try:
        problems = tuple(theatre.disturb(played, command, write, trouble))
    except AssertionError as error:
        problems = (str(error),)
    return Cell(write=write, trouble=trouble, problems=problems, at=at, seconds=time.monotonic() - began)
