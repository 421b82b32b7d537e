"""The application load balancers of the embedded cloud: one proxy process for each that moto has a record of."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import ExitStack

from tyrell.local.balancers.addresses import Addresses, Interface
from tyrell.local.balancers.api import LoadBalancingApi
from tyrell.local.balancers.config import Balancer, GroupState
from tyrell.local.balancers.metrics.api import CloudWatchApi
from tyrell.local.balancers.metrics.collector import Collector
from tyrell.local.balancers.patches import patch_moto
from tyrell.local.balancers.process import ProxyProcess
from tyrell.local.balancers.records import Records
from tyrell.local.settings import Settings

log = logging.getLogger(__name__)

_PERIOD = 0.1
_STOP_DEADLINE = 10
_LONGEST_SOCKET_PATH = 100
"""Bytes; the kernel's limit is 107 on Linux and 103 on macOS, see unix(7)."""


class Balancers:
    """Compares moto's records with what each proxy was told, and tells it what changed.

    A load balancer is `provisioning` until its proxy listens on every port, then `active`; it is `failed`, with the
    reason, while a port cannot be listened on. Its DNSName is an IP address of its first subnet.
    """

    def __init__(
        self,
        settings: Settings,
        interface: Interface | None = None,
        disturbed: Callable[[Balancer], Balancer] = lambda balancer: balancer,
    ) -> None:
        """`interface` makes addresses reachable that are not so by themselves; only then proxies connect from them.

        `disturbed` is what a proxy is told in place of its records when something goes wrong on purpose.

        Raises ValueError when the cloud's home is too deep for the proxies' control sockets.
        """
        self.settings = settings
        self._disturbed = disturbed
        self._sockets = settings.home / "balancers"
        if len(bytes(self._sockets / "0123456789abcdef.sock")) > _LONGEST_SOCKET_PATH:
            raise ValueError(f"{settings.home}: too long for Unix sockets below it; give the cloud a shorter home")
        self.records = Records(settings)
        self.addresses = Addresses(settings, interface)
        self._has_interface = interface is not None
        self._proxies: dict[str, ProxyProcess] = {}
        self._metrics = Collector(lambda: dict(self._proxies))
        self._changed = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="balancers", daemon=True)
        self._patches = ExitStack()

    def install(self) -> None:
        """Put the APIs of real load balancers and their metrics in place of moto's."""
        load_balancing = type("LoadBalancingApi", (LoadBalancingApi,), {"engine": self})
        cloudwatch = type("CloudWatchApi", (CloudWatchApi,), {"collector": self._metrics})
        self._patches = patch_moto(load_balancing, cloudwatch)

    def start(self) -> None:
        """Start following the records and collecting metrics."""
        logging.getLogger("httpx").setLevel(logging.WARNING)  # it reports each word with a proxy
        self._thread.start()
        self._metrics.start()

    def stop(self) -> None:
        """End every proxy and give moto its own API back; returns when all are gone."""
        self._stopping.set()
        self.wake()
        if self._thread.ident:
            self._thread.join(_STOP_DEADLINE)
        self._metrics.stop()
        for proxy in self._proxies.values():
            proxy.stop()
        self._patches.close()

    def wake(self) -> None:
        """Records changed: compare them with the proxies now."""
        self._changed.set()

    def observed(self, group_arn: str) -> list[GroupState | None]:
        """What each load balancer that names the target group sees of it; None: nothing yet."""
        return [self._seen(arn, group_arn) for arn in self.records.balancers_naming(group_arn)]

    def proxy_pid(self, arn: str) -> int | None:
        """The process of a load balancer; None before it is started."""
        proxy = self._proxies.get(arn)
        return proxy.pid if proxy else None

    def _seen(self, arn: str, group_arn: str) -> GroupState | None:
        proxy = self._proxies.get(arn)
        state = proxy.state() if proxy else None
        return state.target_groups.get(group_arn) if state else None

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._reconcile()
            except Exception:
                log.exception("load balancers could not be compared with their records; trying again")
            self._changed.wait(_PERIOD)
            self._changed.clear()

    def _reconcile(self) -> None:
        self.records.deregister_lost_instances()
        wanted = self.records.balancers()
        gone = self._proxies.keys() - wanted.keys()
        if gone:
            self._metrics.collect()  # what they measured last is lost with their processes
        for arn in gone:
            self._proxies.pop(arn).stop()
            self.addresses.release(arn)
            log.info("%s is deleted", arn)
        for arn, balancer in wanted.items():
            try:
                self._follow(arn, balancer)
            except Exception:  # one that cannot be followed must not hold up the others
                log.exception("load balancer %s could not be told its configuration; trying again", balancer.name)
        self._forget_drained(wanted)

    def _follow(self, arn: str, balancer: Balancer) -> None:
        if arn not in self._proxies:
            socket = self._sockets / f"{arn.rpartition('/')[2]}.sock"
            source = balancer.address if self._has_interface else None
            self._proxies[arn] = ProxyProcess(socket, self.settings.logs / f"balancer-{balancer.name}.log", source)
        proxy = self._proxies[arn]
        proxy.ensure_running()
        state = proxy.tell(self._disturbed(balancer))
        if state is None:
            return
        reason = "; ".join(state.failed_listeners.values()) or None
        if self.records.set_state(arn, "failed" if reason else "active", reason):
            log.info("%s at %s is %s", balancer.name, balancer.address, reason or "active")

    def _forget_drained(self, wanted: dict[str, Balancer]) -> None:
        for group_arn, target_id in self.records.draining():
            told = [
                arn
                for arn, balancer in wanted.items()
                if group_arn in balancer.target_groups and target_id in balancer.target_groups[group_arn].targets
            ]
            if all(self._is_drained(arn, group_arn, target_id) for arn in told):
                self.records.forget(group_arn, target_id)

    def _is_drained(self, arn: str, group_arn: str, target_id: str) -> bool:
        group = self._seen(arn, group_arn)
        target = group.targets.get(target_id) if group else None
        return target is not None and target.state == "drained"
