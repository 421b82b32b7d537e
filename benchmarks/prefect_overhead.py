"""What server and worker cost: `python -m benchmarks.prefect_overhead [--rounds N]`.

Brings the same small stack up by turns in this process and through a worker (from the request to the end of the run, as
who waits for it sees it), both with Prefect on PostgreSQL and Redis as in `deployments/server`. The fastest of each
count: other work on the machine only ever adds. Takes about five minutes and ends with 1 when the worker's is more than
1.25 times the other.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from benchmarks.figures import Figure, seconds, show
from benchmarks.site import Site, site
from flows.bring_up import bring_up
from flows.tear_down import tear_down
from tasks.model import Network, Release, Stack

SIZES = {"router": 1, "target": 1, "tenant-mgmt-api": 1}
CIDR = "127.54.0.0/20"


def measure(here: Site, rounds: int) -> list[Figure]:
    """Bring up and tear down, so many times in each way."""
    release = here.release("one")
    here.team.start_worker("worker", limit=1)
    alone = min(_in_process(release) for _ in range(rounds))
    worked = min(_through_worker(here, release) for _ in range(rounds))
    return [
        Figure("bring-up in this process", alone, "s"),
        Figure("bring-up through server and worker", worked, "s"),
        Figure("through server and worker, to in this process", worked / alone, "times", 1.25),
    ]


def _in_process(release: Release) -> float:
    network, stack = Network.model_validate(_network()), Stack.model_validate(_stack())
    took = seconds(lambda: bring_up(network, stack, release.ami, release.id, SIZES))
    tear_down(stack.name)
    return took


def _through_worker(here: Site, release: Release) -> float:
    asked = {"network": _network(), "stack": _stack(), "ami": release.ami, "version": release.id, "sizes": SIZES}
    took = seconds(lambda: here.team.completed(here.team.start("bring-up", asked)))
    tear_down(str(_stack()["name"]))
    return took


def _network() -> dict[str, Any]:
    return {"name": "measured-network", "cidr": CIDR}


def _stack() -> dict[str, Any]:
    return {"name": "measured", "network": "measured-network", "port": 8080}


def main(arguments: Sequence[str] = ()) -> int:
    """Measure, print a table, and return 1 when a figure is over its bound."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.prefect_overhead")
    parser.add_argument("--rounds", type=int, default=2, help="bring-ups in each way (default: 2)")
    options = parser.parse_args(arguments)
    with site() as here:
        return show(measure(here, options.rounds))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
