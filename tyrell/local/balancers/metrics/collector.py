"""Takes what the proxies measured into the history: regularly, and whenever somebody asks for metrics."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from tyrell.local.balancers.metrics.catalogue import dimension_value
from tyrell.local.balancers.metrics.history import KEPT_SECONDS, History, Series
from tyrell.local.balancers.process import ProxyProcess

log = logging.getLogger(__name__)

_PERIOD = 0.5
"""Seconds; the most that is lost with a proxy that is killed. Shorter than a second, so that every second has a
sample of what is measured by looking: the healthy targets."""

_STOP_DEADLINE = 10


class Collector:
    """The history of all load balancers, and the thread that keeps it. `proxies` tells the running ones by ARN."""

    def __init__(self, proxies: Callable[[], dict[str, ProxyProcess]]) -> None:
        self.history = History()
        self._proxies = proxies
        self._collecting = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="balancer-metrics", daemon=True)

    def start(self) -> None:
        """Start to collect."""
        self._thread.start()

    def stop(self) -> None:
        """Stop collecting; the history stays."""
        self._stopping.set()
        if self._thread.ident:
            self._thread.join(_STOP_DEADLINE)

    def collect(self) -> None:
        """Bring the history up to date: what was measured before the call is in it afterwards."""
        # One at a time: who comes second must not return while the first still holds samples it has not added.
        with self._collecting:
            for arn, proxy in self._proxies().items():
                for samples in proxy.take_samples():
                    group = dimension_value(samples.target_group) if samples.target_group else None
                    self.history.add(
                        Series(samples.metric, dimension_value(arn), group), samples.second, samples.counts
                    )
            self.history.forget_before(int(time.time()) - KEPT_SECONDS)

    def _run(self) -> None:
        while not self._stopping.wait(_PERIOD):
            try:
                self.collect()
            except Exception:
                log.exception("the metrics of load balancers could not be collected; trying again")
