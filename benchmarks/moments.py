"""When something happened during an upgrade, as AWS, etcd and the load balancer tell it. All moments are Unix time."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from tasks import clients
from tasks.core_services import find_etcd
from tasks.errors import NotFound
from tasks.groups import find_group
from tasks.health import find_health
from tasks.model import Version
from tasks.role_parts import ByLoadBalancer, ByRegistry
from tasks.roles import load_role
from tasks.traffic import find_rule

_ROOT = '"path": "/",'


class Watch:
    """Looks again and again while a `with` block runs, and notes when what it sees changes for the first time.

    `changed` is when the last look began that saw no change yet: what is counted from there is never too short.
    """

    def __init__(self, look: Callable[[], object], every: float) -> None:
        self.changed = time.time()
        self._look = look
        self._every = every
        self._first = look()
        self._stop = threading.Event()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="watch")
        self._watching: Future[bool] | None = None

    def __enter__(self) -> Self:
        """Start looking."""
        self._watching = self._thread.submit(self._watch)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop looking. By then the change must have been seen."""
        self._stop.set()
        self._thread.shutdown()
        assert self._watching is not None
        assert self._watching.result() or error, f"nothing changed: {self._first}"

    def _watch(self) -> bool:
        """Whether a change was seen."""
        while not self._stop.is_set():
            began = time.time()
            if self._look() != self._first:
                return True
            self.changed = began
            self._stop.wait(self._every)
        return False


def watch_health(version: Version) -> Watch:
    """Notes when every member of the version got healthy."""

    def look() -> bool:
        try:
            return find_health(find_group(version), load_role(version.role)).good
        except NotFound:
            return False

    return Watch(look, every=0.25)


def watch_decision(stack: str, role: str) -> Watch:
    """Notes the write that moves the role's traffic: of the weights in its rule, or of its pointer in etcd."""
    match load_role(role).traffic:
        case ByLoadBalancer() as kind:
            rule = find_rule(stack, role, kind)
            assert rule, f"{role} has no listener rule"
            arn = rule.arn
            return Watch(lambda: _weighted(arn), every=0.05)
        case ByRegistry() as kind:
            etcd, pointer = find_etcd(stack), kind.pointer
            return Watch(lambda: etcd.get(pointer).value, every=0.05)
    raise ValueError(f"role {role} has no traffic to decide on")


def _weighted(arn: str) -> dict[str, int]:
    """Weights by target group, of those that have some."""
    groups = clients.elbv2().describe_rules(RuleArns=[arn])["Rules"][0]["Actions"][0]["ForwardConfig"]["TargetGroups"]
    return {group["TargetGroupArn"]: group["Weight"] for group in groups if group["Weight"]}


def launched(version: Version) -> float:
    """When Auto Scaling began to launch the version's first machine."""
    group = find_group(version)
    pages = clients.autoscaling().get_paginator("describe_scaling_activities")
    activities = [
        activity for page in pages.paginate(AutoScalingGroupName=group.name) for activity in page["Activities"]
    ]
    return min(activity["StartTime"] for activity in activities).timestamp()


class AccessLog:
    """The access log of a stack's public load balancer, switched on.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html
    On AWS it lies in a bucket; the embedded cloud writes it into the log of the balancer's process.
    """

    def __init__(self, url: str, logs: Path) -> None:
        elbv2 = clients.elbv2()
        balancers = elbv2.describe_load_balancers()["LoadBalancers"]
        (balancer,) = [each for each in balancers if f"//{each['DNSName']}" in url]
        elbv2.modify_load_balancer_attributes(
            LoadBalancerArn=balancer["LoadBalancerArn"],
            Attributes=[{"Key": "access_logs.s3.enabled", "Value": "true"}],
        )
        self._file = logs / f"balancer-{balancer['LoadBalancerName']}.log"

    def last_answer_of_others(self, version: Version) -> float:
        """When the last `GET /` was answered by a target group other than that of `version`."""
        own = find_group(version).target_groups[0].split("/")[1]
        entries = [json.loads(line[line.index("{") :]) for line in self._file.read_text().splitlines() if _ROOT in line]
        return max(
            datetime.fromisoformat(entry["time"]).timestamp()
            for entry in entries
            if entry["target_group"] not in {None, own}
        )
