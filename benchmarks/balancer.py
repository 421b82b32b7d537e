"""How fast and how exact a load balancer of the embedded cloud is: `python -m benchmarks.balancer`.

Starts moto, the engine and two target groups of one target each (processes of their own), and prints requests per
second of a proxy on one core, the latency it adds at 200 requests/s, requests that failed while weights changed, and
the share of a small weight. Needs `wrk` on PATH; ends with 1 when a target figure is missed.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from statistics import quantiles

import aiohttp

from tests.local.balancers.cloud import Cloud
from tests.local.balancers.targets import target_process

WEIGHT_CHANGES = 20
LEAST_RATE = 1000
TARGET_PORT = 8080


def main() -> int:
    """Measure, print, and say by the exit code whether the figures are good."""
    if shutil.which("wrk") is None:
        print("wrk is not on PATH: apt-get install wrk, or brew install wrk", file=sys.stderr)
        return 2
    with ExitStack() as stack:
        home = stack.enter_context(tempfile.TemporaryDirectory(prefix="tyrell-bench-"))
        cloud = stack.enter_context(Cloud.running(Path(home)))
        balancer = cloud.balancer()
        listener = cloud.listener(balancer, {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503"}})
        blue, green = (cloud.target_group() for _ in range(2))
        for group, name in ((blue, "blue"), (green, "green")):
            address = cloud.address()
            stack.enter_context(target_process(name, address, TARGET_PORT))
            cloud.register(group, address, TARGET_PORT)
        rule = cloud.rule(listener, {blue: 100, green: 0})
        for group in (blue, green):
            cloud.await_states(group, {"healthy"})
        through, direct = f"http://{balancer.address}:{listener.port}/", f"http://{address}:{TARGET_PORT}/"
        os.sched_setaffinity(cloud.proxy_pid(balancer), {0})
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})

        rate, failed = wrk(through, seconds=5)
        print(f"one core                    {rate:8.0f} requests/s, {failed} failed")
        for name, url in (("direct", direct), ("through the balancer", through)):
            p50, p99 = asyncio.run(latencies(url, rate=200, seconds=5))
            print(f"200/s {name:21} {p50 * 1000:8.2f} ms p50, {p99 * 1000:.2f} ms p99")
        failed_in_changes = changes_under_load(cloud, rule, (blue, green), through)
        print(f"{WEIGHT_CHANGES} weight changes           {failed_in_changes:8} failed")
        for weight in (1, 10, 50):
            cloud.weigh(rule, {blue: 100 - weight, green: weight})
            share = asyncio.run(share_of(through, "green", requests=2000))
            print(f"weight {weight:2} of 100            {share:8.2%} of 2000 requests")
    return int(rate < LEAST_RATE or failed + failed_in_changes > 0)


def wrk(url: str, seconds: int) -> tuple[float, int]:
    """Requests per second of 32 connections, and how many requests failed."""
    command = ["wrk", "-t1", "-c32", f"-d{seconds}s", url]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rate = re.search(r"Requests/sec:\s+([\d.]+)", printed)
    if rate is None:
        raise RuntimeError(f"wrk printed no rate: {printed}")
    socket_errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", printed)
    bad_answers = re.search(r"Non-2xx or 3xx responses: (\d+)", printed)
    counts = [*(socket_errors.groups() if socket_errors else ()), *(bad_answers.groups() if bad_answers else ())]
    return float(rate[1]), sum(map(int, counts))


async def latencies(url: str, rate: int, seconds: int) -> tuple[float, float]:
    """p50 and p99 in seconds of requests started at a steady rate, whether or not those before were answered."""
    loop = asyncio.get_running_loop()
    begin = loop.time()

    async def ask(session: aiohttp.ClientSession, number: int) -> float:
        await asyncio.sleep(begin + number / rate - loop.time())
        started = loop.time()
        async with session.get(url) as answer:
            await answer.read()
        return loop.time() - started

    async with aiohttp.ClientSession() as session:
        taken = await asyncio.gather(*(ask(session, number) for number in range(rate * seconds)))
    percentiles = quantiles(taken, n=100)
    return percentiles[49], percentiles[98]


def changes_under_load(cloud: Cloud, rule: str, groups: tuple[str, str], url: str) -> int:
    """Change the weights again and again while wrk runs; how many requests failed."""
    stop = threading.Event()

    def change() -> None:
        for number in range(WEIGHT_CHANGES):
            cloud.weigh(rule, {groups[0]: number * 5, groups[1]: 100 - number * 5})
            stop.wait(0.2)

    changes = threading.Thread(target=change)
    changes.start()
    _, failed = wrk(url, seconds=5)
    stop.set()
    changes.join()
    return failed


async def share_of(url: str, name: str, requests: int) -> float:
    """Which part of the requests was answered by the target `name`."""
    names: Counter[str] = Counter()
    async with aiohttp.ClientSession() as session:
        for _ in range(requests):
            async with session.get(url) as answer:
                names[await answer.text()] += 1
    return names[name] / requests


if __name__ == "__main__":
    sys.exit(main())
