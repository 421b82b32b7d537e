"""The fault matrix: `python -m tests.faults` makes every cell that is not made yet and writes `docs/fault-matrix.md`.

Every cell is kept as soon as it is made: a run that was stopped goes on where it was. `--only ROUND` makes the rows
of one round of commands. Ends with 1 when a cell is not as it has to be.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

from tests.faults.lane import played_cells
from tests.faults.rounds import ROUNDS
from tests.faults.stage import NETWORKS, stage
from tests.faults.table import Cell, keep, kept


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("--only", choices=ROUNDS, help="the rows of this round of commands; without it of all")
    parser.add_argument("--lanes", type=int, default=len(NETWORKS), help="so many clouds at once")
    parser.add_argument("--lane", type=int, help=argparse.SUPPRESS)  # what the lanes themselves are started with
    chosen = parser.parse_args()
    rounds = [chosen.only] if chosen.only else list(ROUNDS)
    if chosen.lane is not None:
        return _be_lane(chosen.lane, chosen.lanes, rounds)

    made, one_at_a_time = kept(), Lock()

    def collect(lane: int) -> int:
        words = [sys.executable, "-m", "tests.faults", *sys.argv[1:], "--lanes", str(chosen.lanes), "--lane", str(lane)]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout or ():
                with one_at_a_time:
                    made.append(Cell.model_validate_json(line))
                    keep(made)
                    sys.stdout.write(f"{made[-1]} ({made[-1].seconds:.0f} s)\n")
                    sys.stdout.flush()
        return process.returncode

    with ThreadPoolExecutor(chosen.lanes) as pool:
        broke = any(pool.map(collect, range(chosen.lanes)))
    return int(broke or any(cell.problems for cell in made))


def _be_lane(lane: int, lanes: int, rounds: list[str]) -> int:
    """Make each `lanes`-th cell, and tell it on standard output."""
    known = {(cell.write, cell.trouble) for cell in kept()}
    with stage(NETWORKS[lane]) as theatre:
        for name in rounds:
            for cell in played_cells(theatre, ROUNDS[name], known, (lane, lanes)):
                sys.stdout.write(cell.model_dump_json() + "\n")
                sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
