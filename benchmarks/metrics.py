"""How long a metrics stack takes, and a request until it is in it: `python -m benchmarks.metrics`.

On an embedded cloud of its own, with the real InfluxDB; takes about two minutes and ends with 1 when a figure is over
its bound. What collector and agent cost is measured by `benchmarks.collector`.
"""

from __future__ import annotations

import sys
import time
from datetime import timedelta
from functools import partial

import httpx

from benchmarks.figures import Figure, seconds, show
from tasks.influxdb import query
from tasks.model import Patience
from tasks.monitoring.databases import METRICS
from tasks.monitoring.users import find_admin
from tasks.waits import NotYet, wait_until
from tests.flows.embedded import Tyrell, cloud_of_this_process

NAME, STACK = "demo-metrics", "demo"
ROUNDS = 3
SEEN = Patience(timeout=timedelta(seconds=60), every=timedelta(seconds=0.1))


def main() -> int:
    """Measure, print a table, and return 1 when a figure is over its bound."""
    with cloud_of_this_process() as tyrell:
        url = tyrell.json("up", STACK)["url"]
        made = seconds(partial(_make_and_attach, tyrell))
        again = seconds(partial(tyrell.ok, "metrics", "up", NAME))
        visible = [_visible(url, f"tenant{number}") for number in range(ROUNDS)]
    return show(
        [
            Figure("metrics stack up, and a stack attached (two commands)", made, "s", 20),
            Figure("the same again, nothing to do (one command)", again, "s"),
            Figure(f"a request through the router is in InfluxDB, slowest of {ROUNDS}", max(visible), "s", 15),
        ]
    )


def _make_and_attach(tyrell: Tyrell) -> None:
    tyrell.ok("metrics", "up", NAME, "--network", f"{STACK}-network")
    tyrell.ok("metrics", "attach", STACK, NAME)


def _visible(url: str, tenant: str) -> float:
    """Seconds from a request of the tenant until it is counted."""

    def look() -> bool | NotYet:
        asked = f"SELECT value FROM http_req_root_status_2xx WHERE tenant = '{tenant}'"  # noqa: S608
        return bool(query(find_admin(NAME), asked, METRICS)) or NotYet("it is not there")

    start = time.monotonic()
    httpx.get(url, headers={"x-apigee-iot-tenant-id": tenant}, timeout=10).raise_for_status()
    wait_until("a request to be in InfluxDB", look, SEEN)
    return time.monotonic() - start


if __name__ == "__main__":
    sys.exit(main())
