"""A process that runs a flow with another one inside, says when both run, and goes on until it is killed."""

from __future__ import annotations

import sys

from prefect import flow
from prefect.runtime import flow_run

from tasks.steps import one_heartbeat


@flow(name="killed-inside")
def inside() -> None:
    """Wait for somebody who never says anything."""
    print(flow_run.id, flush=True)
    sys.stdin.readline()


@flow(name="killed")
def outside() -> None:
    """Say who it is and run the other one."""
    print(flow_run.id, flush=True)
    with one_heartbeat():
        inside()


if __name__ == "__main__":
    outside()
