"""What a hundred kills at random moments leave behind: `python -m benchmarks.kills [--kills N] [--seed N]`.

The commands of each round of the fault matrix are run one after the other, each is killed with SIGKILL after a random
part of the time that it takes, and run again; then the world has to be as after an undisturbed run. Not among `make
bench`: it takes about twenty minutes. Ends with 1 when anything is left over, or missing.
"""

from __future__ import annotations

import argparse
import random
import sys
from functools import partial

from benchmarks.figures import Figure, seconds, show
from tests.faults.cells import Stage
from tests.faults.rounds import ROUNDS, STACK, Round
from tests.faults.stage import stage

NETWORK = "127.61.0.0/16"
PLAYED = [played for played in ROUNDS.values() if played.stack == STACK]


def main() -> int:
    """Kill, print what was not as it has to be and a table, and return 1 when there was anything."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kills")
    parser.add_argument("--kills", type=int, default=100, help="how many")
    parser.add_argument("--seed", type=int, default=1, help="of the moments")
    chosen = parser.parse_args()
    moments = random.Random(chosen.seed)  # noqa: S311  nothing secret
    problems: list[str] = []
    with stage(NETWORK) as theatre:
        for number, played in enumerate(PLAYED):
            share = len(range(number, chosen.kills, len(PLAYED)))
            problems += kill(theatre, played, share, moments)
    for problem in problems:
        sys.stdout.write(f"{problem}\n")
    return show(
        [Figure("kills", chosen.kills, ""), Figure("worlds that are not as they have to be", len(problems), "", 0)]
    )


def kill(theatre: Stage, played: Round, kills: int, moments: random.Random) -> list[str]:
    """So many kills among the commands of the round, each told as it comes; those with problems."""
    with theatre.prepared(played):
        return _kill(theatre, played, kills, moments)


def _kill(theatre: Stage, played: Round, kills: int, moments: random.Random) -> list[str]:
    """Rounds of commands, until at least so many were killed."""
    lengths = {command.name: seconds(partial(theatre.play, command)) for command in played.commands}
    problems = []
    while kills > 0:
        for command in played.commands:
            at = moments.uniform(0, lengths[command.name])
            found = theatre.kill_after(played, command, at)
            if found is None:  # it was quicker this time
                continue
            kills -= 1
            told = f"{command.name}, killed after {at:.2f} s: {'; '.join(found) or 'well'}"
            sys.stderr.write(f"{told}\n")
            if found:
                problems.append(told)
                assert not theatre.mend(played), "cannot be put back"
                break
    return problems


if __name__ == "__main__":
    sys.exit(main())
