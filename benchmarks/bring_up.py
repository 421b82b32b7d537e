"""How long the demo takes, its memory, how soon a killed machine is back: `python -m benchmarks.bring_up`.

Runs `tyrell demo --detach` as a person would, with a home in a temporary folder; no other embedded cloud may be up.
Takes about two minutes and ends with 1 when a figure is over its bound.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import httpx

from benchmarks.figures import Figure, seconds, show
from tasks.model import Patience
from tasks.overview import find_overview
from tasks.waits import NotYet, wait_until
from tests.flows.embedded import Tyrell, kill_machines

ROLES = ("router-", "target-", "tenant-mgmt-api-")
MISSED = Patience(timeout=timedelta(seconds=10), every=timedelta(seconds=0.05))
WHOLE = Patience(timeout=timedelta(seconds=60), every=timedelta(seconds=0.1))


def main() -> int:
    """Measure, print a table, and return 1 when a figure is over its bound."""
    tyrell = Tyrell(Path(tempfile.mkdtemp(prefix="tyrell-")))
    try:
        figures = measure(tyrell)
    finally:
        tyrell.run("local", "down")
    return show([Figure(what, value, unit, bound) for what, (value, bound, unit) in figures.items()])


def measure(tyrell: Tyrell) -> dict[str, tuple[float, float, str]]:
    """Figure, bound and unit by what was measured."""
    help_seconds = min(seconds(lambda: tyrell.ok("--help")) for _ in range(5))
    demo = seconds(lambda: tyrell.ok("demo", "--detach"))
    memory = sum(map(proportional_memory, processes(tyrell)))
    again = seconds(lambda: tyrell.ok("up"))
    repairs = {
        f"{role.removesuffix('-')}: whole again after kill -9": (repair_seconds(tyrell, role), 15.0, "s")
        for role in ROLES
    }
    return {
        "tyrell --help": (help_seconds, 0.5, "s"),
        "make demo, to the final table": (demo, 60, "s"),
        "the bring-up flow itself": (flow_seconds(tyrell), 25, "s"),
        "tyrell up again, nothing to do": (again, 30, "s"),
        "memory of everything that runs then (PSS)": (memory / 1024, 1.5 * 1024, "MiB"),
        **repairs,
    }


def repair_seconds(tyrell: Tyrell, role: str) -> float:
    """From `kill -9` of all processes of one machine to a stack that has nothing to complain of."""
    os.environ.update(tyrell.cloud_environment)
    start = time.monotonic()
    kill_machines(tyrell, role, 1)

    def hurt() -> bool:
        return any(row.problems for row in find_overview("demo").rows)

    wait_until(f"{role} to be missed", lambda: hurt() or NotYet("not missed"), MISSED)
    wait_until(f"{role} to be whole again", lambda: not hurt() or NotYet("not whole"), WHOLE)
    return time.monotonic() - start


def flow_seconds(tyrell: Tyrell) -> float:
    """The first bring-up run's time as Prefect recorded it."""
    body = {"sort": "START_TIME_ASC", "flows": {"name": {"any_": ["bring-up"]}}}
    runs = httpx.post(f"{tyrell.cloud_environment['PREFECT_API_URL']}/flow_runs/filter", json=body, trust_env=False)
    return float(runs.json()[0]["total_run_time"])


def processes(tyrell: Tyrell) -> list[int]:
    """The daemon and everything below it."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(maxsplit=2) for line in listed.splitlines()]
    found = {int(pid) for pid, _, command in rows if "tyrell.local.daemon" in command and str(tyrell.home) in command}
    while below := {int(pid) for pid, parent, _ in rows if int(parent) in found} - found:
        found |= below
    return sorted(found - {os.getpid()})


def proportional_memory(pid: int) -> int:
    """KiB of a process, shared pages divided among those that share them (proc(5), smaps_rollup)."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0


if __name__ == "__main__":
    sys.exit(main())
