"""One request on its way to a target group, and how it counts in the metrics when it ends."""

from __future__ import annotations

from dataclasses import dataclass, field

from aiohttp import web

from tyrell.local.balancers.metrics.catalogue import METRICS
from tyrell.local.balancers.metrics.samples import Recorder, rounded
from tyrell.local.balancers.pool import Group, Target


@dataclass
class Exchange:
    """A request that came in on `port` and is forwarded to `group`, and what is known of its answer so far.

    `target_status` is the status a target answered with, `target_seconds` the time from asking that target until it
    began to answer; `upgraded` says that the request became a WebSocket.
    """

    request: web.BaseRequest
    port: int
    group: Group
    tried: list[Target] = field(default_factory=list)
    connection_errors: int = 0
    target_status: int | None = None
    target_seconds: float = 0.0
    upgraded: bool = False

    def answered(self, status: int, seconds: float) -> None:
        """A target answered."""
        self.target_status, self.target_seconds = status, seconds


def count(recorder: Recorder, exchange: Exchange | None, status: int) -> None:
    """Count a request that ended with `status`; without an exchange the balancer answered by itself.

    Only a request for which a target could be chosen is in RequestCount, and only an answer that a target made is in
    HTTPCode_Target_*; all others are in HTTPCode_ELB_*. What AWS counts for a WebSocket is not documented: here a
    successful one is no request, for it has no status by which to tell whether it went well.
    """
    if exchange is None:
        _count_own(recorder, status)
        return
    group = exchange.group.arn
    for _ in range(exchange.connection_errors):
        recorder.add("TargetConnectionErrorCount", target_group=group)
    if exchange.upgraded:
        return
    if exchange.tried:
        recorder.add("RequestCount", target_group=group)
    if exchange.target_status is None:
        _count_own(recorder, status)
        return
    recorder.add("TargetResponseTime", rounded(exchange.target_seconds), target_group=group)
    name = f"HTTPCode_Target_{exchange.target_status // 100}XX_Count"
    if name in METRICS:
        recorder.add(name, target_group=group)


def _count_own(recorder: Recorder, status: int) -> None:
    name = f"HTTPCode_ELB_{status // 100}XX_Count"
    if name in METRICS:
        recorder.add(name)
