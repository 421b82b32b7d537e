"""Twenty upgrades of twenty stacks at once on two workers: `python -m benchmarks.many_upgrades [--stacks N]`.

The stacks are small, so that two cores carry twenty: a base, core-services of one machine (etcd, where the locks are)
and a data worker, whose upgrade launches one machine that has to prove itself. Prefect is on PostgreSQL and Redis, as
in `deployments/server`; each worker runs ten at the same time. Takes about ten minutes and ends with 1 when a figure is
over its bound.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Sequence
from datetime import timedelta

from prefect import flow
from prefect.client.schemas.objects import FlowRun

from benchmarks.figures import Figure, seconds, show
from benchmarks.site import NETWORK, Site, site
from flows.base_stack import create_base_stack
from flows.deploy import deploy
from flows.network import create_network
from flows.switch import switch
from tasks.groups import scale_group
from tasks.health import await_healthy
from tasks.locks import find_locks
from tasks.model import Network, Release, Stack, Version
from tasks.roles import load_role
from tasks.steps import each_in_parallel, one_heartbeat
from tasks.versions import create_version, find_working
from tests.several_machines.team import upgrade_of

ROLE = "device-data-worker"
WORKERS = ("first", "second")
AT_ONCE = 10
MADE_AT_ONCE = 4
TROUBLE = re.compile(r"deadlock|database is locked|could not serialize|lock timeout|QueuePool limit", re.IGNORECASE)


@flow(name="small-stack", flow_run_name="small stack {stack.name}")
def small_stack(stack: Stack, release: Release) -> None:
    """A stack that can have its data worker upgraded, and no more."""
    core = Version(stack=stack.name, role="core-services", id=release.id)
    with one_heartbeat():
        create_base_stack(stack)
        create_version(core, release, load_role(core.role))
        scale_group(core, 1)
        await_healthy(core, load_role(core.role))
        deploy(stack.name, ROLE, release.ami, release.id)
        switch(stack.name, ROLE, release.id, wait=timedelta(seconds=60))


def measure(here: Site, count: int) -> list[Figure]:
    """Make the stacks, upgrade all of them at once, and look at what came of it."""
    one, two = (here.release(name) for name in ("one", "two"))
    names = [f"s{number:02}" for number in range(count)]
    create_network(Network.model_validate({"name": "shared", "cidr": NETWORK}))
    stacks = [Stack(name=name, network="shared") for name in names]
    made = seconds(lambda: list(each_in_parallel(lambda stack: small_stack(stack, one), stacks, MADE_AT_ONCE)))
    for worker in WORKERS:
        here.team.start_worker(worker, AT_ONCE)

    began = time.monotonic()
    ids = [here.team.start("upgrade", upgrade_of(name, ROLE, two)) for name in names]
    runs = here.team.ended(*ids, within=1800)
    took = time.monotonic() - began
    live = [find_working(name, load_role(ROLE)) for name in names]
    shares = [len(here.team.worked_on(worker, ids)) for worker in WORKERS]
    return [
        Figure(f"{count} small stacks made, {MADE_AT_ONCE} at a time", made, "s"),
        Figure(f"{count} upgrades at once, from the first request to the last end", took, "s"),
        Figure("the longest run itself", max(_seconds(run) for run in runs), "s"),
        Figure("runs that did not complete", sum(not _completed(run) for run in runs), "runs", 0),
        Figure("stacks without the new version live", sum(each != {"two": 100} for each in live), "stacks", 0),
        Figure("locks left", sum(len(find_locks(name)) for name in names), "locks", 0),
        Figure("locks and time-outs of the database in the server's logs", _trouble(here), "lines", 0),
        *(Figure(f"runs of worker {name}", share, "runs") for name, share in zip(WORKERS, shares, strict=True)),
    ]


def _completed(run: FlowRun) -> bool:
    return bool(run.state and run.state.is_completed())


def _seconds(run: FlowRun) -> float:
    return run.total_run_time.total_seconds()


def _trouble(here: Site) -> int:
    lines = [line for name in ("postgresql", "server", "services") for line in here.servers.log(name).splitlines()]
    return sum(bool(TROUBLE.search(line)) for line in lines)


def main(arguments: Sequence[str] = ()) -> int:
    """Measure, print a table, and return 1 when a figure is over its bound."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.many_upgrades")
    parser.add_argument("--stacks", type=int, default=20, help="how many (default: 20)")
    options = parser.parse_args(arguments)
    with site() as here:
        return show(measure(here, options.stacks))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
