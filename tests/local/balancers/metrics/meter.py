"""A target group with a target of its own behind a real load balancer, and reading its metrics with boto3."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from tests.local.balancers.cloud import Cloud, Listener, LoadBalancer
from tyrell.local.aws import client

NAMESPACE = "AWS/ApplicationELB"
_hosts = itertools.count(1)
_priorities = itertools.count(1)


class Meter:
    """A target group, reached below a path of its own at a listener."""

    def __init__(self, cloud: Cloud, balancer: LoadBalancer, listener: Listener) -> None:
        self.cloud = cloud
        self.cloudwatch = client(cloud.settings, "cloudwatch")
        self.group = cloud.target_group(HealthCheckPath="/200")
        priority = next(_priorities)
        self.path = f"/{priority}"
        self.rule = cloud.rule(listener, {self.group: 1}, path=f"{self.path}/*", priority=priority)
        self.url = f"http://{balancer.address}:{listener.port}{self.path}"
        self.balancer = balancer.arn.partition(":loadbalancer/")[2]
        self._http = httpx.Client(trust_env=False)

    def ask(self, status: int = 200, after: float = 0, times: int = 1) -> None:
        """Send requests that the target answers with `status`, `after` seconds."""
        for _ in range(times):
            assert self._http.get(f"{self.url}/{status}?after={after}").status_code == status

    def metric(self, name: str, balancer_only: bool = False) -> dict[str, Any]:
        """A metric of the group, or of its balancer as a whole, in the words of the API."""
        named = {"LoadBalancer": self.balancer}
        if not balancer_only:
            named["TargetGroup"] = self.group.rpartition(":")[2]
        dimensions = [{"Name": key, "Value": value} for key, value in named.items()]
        return {"Namespace": NAMESPACE, "MetricName": name, "Dimensions": dimensions}

    def points(
        self, name: str, stat: str, start: int, end: float, period: int = 60, **metric: bool
    ) -> dict[int, float]:
        """GetMetricData of one metric between two Unix times: values by the Unix time of their stamp."""
        wanted = {"Metric": self.metric(name, **metric), "Period": period, "Stat": stat}
        answer = self.cloudwatch.get_metric_data(
            MetricDataQueries=[{"Id": "m", "MetricStat": wanted}], StartTime=at(start), EndTime=at(end)
        )
        [result] = answer["MetricDataResults"]
        stamps = [int(stamp.timestamp()) for stamp in result["Timestamps"]]
        return dict(zip(stamps, result["Values"], strict=True))

    def since(self, start: int, name: str, stat: str = "Sum", **metric: bool) -> float:
        """One statistic over all requests from `start` until now; 0 when there is no data point."""
        return sum(self.points(name, stat, start, time.time() + 1, period=3600, **metric).values())


@contextmanager
def metered(cloud: Cloud, balancer: LoadBalancer, listener: Listener) -> Iterator[Meter]:
    """A meter whose target is known to be healthy."""
    meter = Meter(cloud, balancer, listener)
    address = f"127.41.200.{next(_hosts)}"
    with ThreadingHTTPServer((address, 0), _Target) as target:
        thread = threading.Thread(target=target.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        cloud.register(meter.group, address, target.server_address[1])
        cloud.await_states(meter.group, {"healthy"})
        try:
            yield meter
        finally:
            target.shutdown()
            thread.join()


def at(second: float) -> datetime:
    return datetime.fromtimestamp(second, UTC)


def next_second() -> int:
    """The Unix time of a second that has just begun, so that what follows at once lies within it."""
    second = int(time.time()) + 1
    threading.Event().wait(second - time.time())
    while time.time() < second:
        threading.Event().wait(0.001)
    return second


class _Target(BaseHTTPRequestHandler):
    """Answers /.../<status>?after=<seconds>."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = urlsplit(self.path)
        threading.Event().wait(float(parse_qs(path.query).get("after", ["0"])[0]))
        self.send_response(int(path.path.rpartition("/")[2]))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the parameter's name in http.server
        """Nothing: the requests are the test's own."""
