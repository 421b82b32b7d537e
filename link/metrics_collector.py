"""Tells statsd how many targets are free, how many each tenant has, and how many peers are connected to which machine.

Runs beside the tenant management API.

Settings: COREOS_PRIVATE_IPV4, ETCD_PEER_HOSTS, ZETTA_STACK, AWS_REGION (us-east-1), INTERVAL (10000 ms),
STATSD_HOST (port 8125 of this machine).
"""

import asyncio
import contextlib
import logging
from collections import Counter

from link.shared.core_services import open_etcd
from link.shared.environment import Environment
from link.shared.etcd import Etcd, EtcdRefused, EtcdUnavailable
from link.shared.process import run_program, set_on_signals
from link.shared.statsd import Statsd, open_statsd
from link.tenancy.overview import Overview, read_overview

logger = logging.getLogger(__name__)


def tell(statsd: Statsd, overview: Overview) -> None:
    """Send all gauges; of targets only those of the live version count, of peers all."""
    live = Counter(target.tenant for target in overview.all_targets if target.version == overview.version)
    peers = Counter((peer.host, peer.tenant) for peer in overview.all_peers)
    statsd.gauge("link.targets.unallocated", live.pop(None, 0))
    for tenant, number in live.items():
        statsd.gauge("link.targets.allocated", number, tenant=str(tenant))
    for (host, tenant), number in peers.items():
        statsd.gauge("link.peers.connected", number, targetHost=host, tenant=tenant)


class Collector:
    """Reads etcd and tells statsd, again and again; a reason why it can not is logged once."""

    def __init__(self, etcd: Etcd, statsd: Statsd) -> None:
        self._etcd = etcd
        self._statsd = statsd
        self._problem = ""

    async def collect(self) -> None:
        """Tell what etcd says now; nothing while it says nothing."""
        try:
            overview = await read_overview(self._etcd)
        except (EtcdUnavailable, EtcdRefused) as error:
            return self._set_problem(str(error))
        if overview.version is None:
            return self._set_problem("there is no live version yet")
        self._set_problem("")
        return tell(self._statsd, overview)

    async def close(self) -> None:
        """Close the connections."""
        await self._etcd.close()
        self._statsd.close()

    def _set_problem(self, problem: str) -> None:
        if problem and not self._problem:
            logger.warning("nothing is told: %s", problem)
        elif self._problem and not problem:
            logger.info("metrics are told again")
        self._problem = problem


async def run(environment: Environment) -> None:
    """Collect until told to stop."""
    interval = environment.number("INTERVAL", 10_000, 50, 3_600_000) / 1000
    collector = Collector(open_etcd(environment), open_statsd(environment))
    stop = asyncio.Event()
    set_on_signals(stop)
    logger.info("started")
    while not stop.is_set():
        await collector.collect()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(interval):
                await stop.wait()
    await collector.close()


if __name__ == "__main__":
    run_program("metrics-collector", run)
