"""What an upgrade costs the tenants, and how long it takes: `python -m benchmarks.upgrade [--only PART] [--rounds N]`.

Brings a stack up on an embedded cloud with a home of its own and has 200 requests/s of several tenants and 50
WebSockets go through it while routers and targets are upgraded: back and forth between two good releases (`upgrades`),
to releases with a real fault (`bad`), and against the clock (`switch`, `critical-path`). Takes about half an hour and
ends with 1 when a figure is over its bound.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence

from benchmarks.figures import Figure, out, show
from benchmarks.moments import AccessLog, launched, watch_decision, watch_health
from benchmarks.runs import last_run
from benchmarks.stage import STACK, Stage
from tasks import clients
from tasks.model import Version
from tests.flows.embedded import embedded_cloud
from tests.flows.load import Load
from tests.flows.load_report import Report
from tests.flows.releases import Fault
from tyrell.local.state import read_state

ROLES = ("router", "target")
CANARY = 10
CAREFUL = ("--steps", f"{CANARY},50,100", "--pause", "5")
AGAIN = ("--steps", f"{CANARY},50,100", "--pause", "2", "--steady", "2", "--window", "0")
"""Without a window the old version's machines go at once, so that every upgrade launches its own."""

AT_ONCE = ("--strategy", "blue-green", "--pause", "0", "--steady", "0", "--no-gate")
BACK_WITHIN = 5.0
SLOW = 0.4


def upgrades(stage: Stage, rounds: int) -> Iterator[Figure]:
    """Good releases, back and forth: nobody notices."""
    for role in ROLES:
        began = time.monotonic()
        with stage.load() as load:
            for _ in range(rounds):
                stage.must_upgrade(role, stage.other(role), *AGAIN)
        name, report = f"{rounds} upgrades of {role}", load.report()
        tell(f"{name}: {report}")
        yield Figure(f"{name}: each", (time.monotonic() - began) / rounds, "s")
        yield Figure(f"{name}: failed of {len(report.requests)}", len(report.failed), "requests", 0)
        yield Figure(f"{name}: wrong tenant", len(report.wrong_tenant), "requests", 0)
        yield Figure(f"{name}: broken messages", report.broken, "", 0)
        yield Figure(f"{name}: longest without a WebSocket", report.longest_gap, "s", BACK_WITHIN)


def bad(stage: Stage, _rounds: int) -> Iterator[Figure]:
    """Bad releases: rolled back by themselves, and few requests meet them."""
    for role in ROLES:
        for fault in Fault:
            release, before = stage.new_release(fault, role), stage.live(role)
            with stage.load() as load:
                done = stage.upgrade(role, release, *CAREFUL)
            report, after = load.report(), stage.live(role)
            tell(f"{role} {fault}: exit {done.returncode}, {done.stderr.strip()}\n{report}")
            yield Figure(f"{role} {fault}: not rolled back", done.returncode != 1 or after != before, "", 0)
            yield Figure(f"{role} {fault}: affected of {len(report.requests)}", affected(report), "%", CANARY)


def tell(text: str) -> None:
    """What happened, as it was said."""
    out.print(text, highlight=False, markup=False, soft_wrap=True)


def affected(report: Report) -> float:
    """Percent of the requests that failed or were slow."""
    hurt = sum(bool(request.failure) or request.seconds >= SLOW for request in report.requests)
    return 100 * hurt / len(report.requests)


def switch(stage: Stage, _rounds: int) -> Iterator[Figure]:
    """How soon all requests follow a decision."""
    log = AccessLog(stage.url, stage.settings.logs)
    for role in ROLES:
        before, after = stage.live_version(role), stage.new_version(role)
        with stage.load() as load:
            with watch_health(after) as health:
                stage.must_upgrade(role, after.id, *AT_ONCE)
            moved = last_answer_of_others(after, load, log)
            yield Figure(f"{role}: from healthy to all traffic", moved - health.changed, "s", 1)
            began = time.time()
            with watch_decision(STACK, role) as decision:
                stage.rollback(role)
            back = last_answer_of_others(before, load, log)
        yield Figure(f"{role}: rollback, from the command to all traffic", back - began, "s")
        yield Figure(f"{role}: rollback, from the first write to all traffic", back - decision.changed, "s", 1)


def last_answer_of_others(version: Version, load: Load, log: AccessLog) -> float:
    """When the last request was answered by another version: targets say theirs, routers are told apart in the log."""
    if version.role == "router":
        return log.last_answer_of_others(version)
    return max(span.last for name, span in load.report().versions.items() if name != version.id)


def critical_path(stage: Stage, _rounds: int) -> Iterator[Figure]:
    """A router upgrade against what it has to wait for: its writes, the boot, and the first health check. No load."""
    after = stage.new_version("router")
    with watch_health(after) as health:
        stage.must_upgrade("router", after.id, *AT_ONCE)
    run, boot = last_run("upgrade"), health.changed - launched(after)
    writes = run.of("apply stack", f"give router {after.id}", "scale router")
    yield Figure("router upgrade, the flow run", run.seconds, "s")
    yield Figure("router upgrade, boot and first health check", boot, "s")
    yield Figure("router upgrade, its writes", writes, "s")
    yield Figure("router upgrade, run to critical path", run.seconds / (boot + writes), "times", 1.15)


PARTS: dict[str, Callable[[Stage, int], Iterator[Figure]]] = {
    "upgrades": upgrades,
    "bad": bad,
    "switch": switch,
    "critical-path": critical_path,
}


def main(arguments: Sequence[str] = ()) -> int:
    """Measure, print a table, and return 1 when a figure is over its bound."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.upgrade", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", choices=PARTS, action="append", help="measure this part; may be repeated")
    parser.add_argument("--rounds", type=int, default=20, help="upgrades of each role (default: 20)")
    options = parser.parse_args(arguments)
    with embedded_cloud() as tyrell:
        state = read_state(tyrell.home)
        assert state
        os.environ.update(tyrell.cloud_environment)
        clients.forget()
        stage = Stage(tyrell, state.settings)
        figures = [figure for part in options.only or PARTS for figure in PARTS[part](stage, options.rounds)]
    return show(figures)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
