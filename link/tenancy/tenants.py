"""Which targets answer a tenant's requests."""

import asyncio
import logging

from link.shared.etcd import Etcd, EtcdRefused, EtcdUnavailable
from link.shared.monitor import Monitor
from link.shared.records import Target
from link.shared.registry import Registry
from link.tenancy.allocation import allocate

SETTLE_TIMEOUT = 2.5

logger = logging.getLogger(__name__)


class Tenants:
    """Hands out each tenant's current targets (live version, up) in turn, and gets it more when it has too few."""

    def __init__(self, etcd: Etcd, registry: Registry, monitor: Monitor, targets_per_tenant: int) -> None:
        self._etcd = etcd
        self._registry = registry
        self._monitor = monitor
        self._size = targets_per_tenant
        self._turn: dict[str, int] = {}
        self._one_at_a_time = asyncio.Lock()
        self._allocating: dict[str, asyncio.Task[list[Target]]] = {}

    async def targets(self, tenant: str) -> list[Target]:
        """Return the tenant's current targets, the one whose turn it is first; empty when there is none to be had.

        A tenant that has a target is served by it at once while it gets another one; only one without any waits.
        """
        current = self._current(tenant)
        if len(current) < self._size:
            allocating = self._allocate_once(tenant)
            if not current:
                current = await asyncio.shield(allocating)
        return self._in_turn(tenant, current)

    def _current(self, tenant: str) -> list[Target]:
        return [
            target for target in self._registry.live_targets if target.tenant == tenant and self._monitor.is_up(target)
        ]

    def _in_turn(self, tenant: str, targets: list[Target]) -> list[Target]:
        if not targets:
            return []
        turn = self._turn[tenant] = (self._turn.get(tenant, -1) + 1) % len(targets)
        return targets[turn:] + targets[:turn]

    def _allocate_once(self, tenant: str) -> asyncio.Task[list[Target]]:
        """Start getting more targets for the tenant, unless that is already going on."""
        task = self._allocating.get(tenant)
        if task is None:
            task = self._allocating[tenant] = asyncio.create_task(self._allocate(tenant))
            task.add_done_callback(lambda _: self._allocating.pop(tenant, None))
        return task

    async def _allocate(self, tenant: str) -> list[Target]:
        """Targets not yet seen up or down are waited for first: just started, we would else replace good ones."""
        candidates = [target for target in self._registry.live_targets if target.tenant in (None, tenant)]
        await self._monitor.settle(candidates, SETTLE_TIMEOUT)
        if not any(target.tenant is None and self._monitor.is_up(target) for target in candidates):
            return self._current(tenant)
        try:
            async with self._one_at_a_time:
                held = await allocate(
                    self._etcd, tenant, self._size, counts=self._may_serve, usable=self._monitor.is_up
                )
        except (EtcdUnavailable, EtcdRefused) as error:
            logger.warning("no target allocated: %s", error, extra={"fields": {"tenantId": tenant}})
            return self._current(tenant)
        return [target for target in held if self._monitor.is_up(target)]

    def _may_serve(self, target: Target) -> bool:
        return self._monitor.verdict(target).state != "DOWN"
