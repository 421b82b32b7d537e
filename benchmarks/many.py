"""What many versions and many waits cost: `python -m benchmarks.many`.

A stack of 100 versions with 10 machines each, in an AWS that runs as a process of its own, with a real etcd: how long
the looking of `tyrell status` takes, and its calls; then the calls of 50 waits for groups of another size.
Takes about two minutes, most of it to make the machines, and ends with 1 when a figure is over its bound.
"""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

from benchmarks.figures import Figure, show
from tasks.errors import Expired
from tasks.groups import await_size
from tasks.model import Patience, Version
from tasks.overview import find_overview
from tests.link.aws_process import aws_process
from tests.link.aws_proxy import Proxy
from tests.tasks.many import calls_of, counted, seed_versions
from tests.tasks.stack_etcd import STACK, stack_etcd

WORKERS, SIZE, WAITS = 90, 10, 50
WINDOW = 10
PATIENCE = Patience(timeout=timedelta(seconds=WINDOW + 1), every=timedelta(seconds=0.25))


def main() -> int:
    """Measure, print a table, and return 1 when a figure is over its bound."""
    with stack_etcd(aws_process) as aws, counted(aws) as proxy:
        seed_versions(STACK, WORKERS, SIZE)
        return show([*status(proxy), *waits(proxy)])


def status(proxy: Proxy) -> list[Figure]:
    """Seconds and calls of one look at the whole stack, by a process that remembers nothing of it."""
    begin = time.monotonic()
    overview = find_overview(STACK)
    seconds = time.monotonic() - begin
    assert not any(row.problems for row in overview.rows)
    what = f"a look at {len(overview.rows)} versions with {SIZE} machines each"
    calls = [Figure(f"calls of {service}", number, "") for service, number in calls_of(proxy, begin).items()]
    return [Figure(what, seconds, "s", 1), *calls]


def waits(proxy: Proxy) -> list[Figure]:
    """Calls of each service in a second, once every wait has looked for the first time."""
    with ThreadPoolExecutor(WAITS) as pool:
        going = [pool.submit(await_in_vain, number) for number in range(WAITS)]
        begin = time.monotonic() + 1
    for each in going:
        each.result()
    calls = calls_of(proxy, begin, begin + WINDOW)
    return [
        Figure(f"{service}: calls of {WAITS} waits", (number - 1) / WINDOW, "/s", 1)
        for service, number in calls.items()
    ]


def await_in_vain(number: int) -> None:
    """Wait for more machines than there will be."""
    with suppress(Expired):
        await_size.fn(Version(stack=STACK, role="usage-worker", id=f"v{number}"), SIZE + 1, PATIENCE)


if __name__ == "__main__":
    sys.exit(main())
