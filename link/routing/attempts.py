"""Asks one of a tenant's targets after the other, until one answers."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable

from aiohttp import web

from link.routing.proxy import NoAnswer
from link.shared.monitor import Monitor
from link.shared.records import Target
from link.tenancy.tenants import Tenants

MOST = 4

Ask = Callable[[Target], Awaitable[web.StreamResponse]]

logger = logging.getLogger(__name__)


class Attempts:
    """What becomes of a request when the target it is meant for goes away at this very moment."""

    def __init__(self, tenants: Tenants, monitor: Monitor) -> None:
        self._tenants = tenants
        self._monitor = monitor

    async def answer(self, tenant: str, path: str, ask: Ask) -> web.StreamResponse:
        """Return the first answer; 502 when no target gave one, 503 when the tenant has none.

        `ask` raises `NoAnswer`; the next target is asked only where repeating is safe.
        """
        said = ""
        async for target in self._targets(tenant, path):
            try:
                return await ask(target)
            except NoAnswer as error:
                said = str(error)
                logger.warning(said, extra={"fields": {"tenantId": tenant}})
                if error.refused:
                    self._monitor.refused(target)
                if not error.repeatable:
                    break
        if said:
            return web.json_response({"error": said}, status=502)
        return web.json_response({"error": f"No available target servers for tenant {tenant}"}, status=503)

    async def _targets(self, tenant: str, path: str) -> AsyncIterator[Target]:
        """Yield the tenant's targets, as they are known each time that another one is needed."""
        tried: list[Target] = []
        while len(tried) < MOST:
            holders = _holders(await self._tenants.targets(tenant), path)
            untried = [target for target in holders if target not in tried]
            if not untried:
                return
            tried.append(untried[0])
            yield untried[0]


def _holders(targets: list[Target], path: str) -> list[Target]:
    """A path below `/servers/cloud-<port>` is only known to the targets of that port; any other to all of them."""
    name = path.removeprefix("/servers/").split("/")[0] if path.startswith("/servers/") else ""
    named = [target for target in targets if name == f"cloud-{target.authority.rpartition(':')[2]}"]
    return named or targets
