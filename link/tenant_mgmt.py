"""The tenant management API: which tenants there are, and how many targets each of them has.

Settings: COREOS_PRIVATE_IPV4, PORT (2000), ETCD_PEER_HOSTS, ZETTA_STACK, AWS_REGION (us-east-1).
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import aiohttp
from aiohttp import web

from link.shared import service
from link.shared.core_services import open_etcd
from link.shared.environment import Environment
from link.shared.etcd import Etcd, EtcdRefused, EtcdUnavailable
from link.shared.monitor import Refused, checking_session, probe
from link.shared.records import Target
from link.tenancy.allocation import allocate
from link.tenancy.overview import Overview, read_overview

SMALLEST = 2

logger = logging.getLogger(__name__)


class TenantApi:
    """Answers every request with what etcd says at that moment."""

    def __init__(self, etcd: Etcd) -> None:
        self._etcd = etcd
        self._http = checking_session()
        self._etcd_was_read = False

    async def running(self, _app: web.Application) -> AsyncIterator[None]:
        """Keep the connections for as long as the application runs."""
        yield
        await self._http.close()
        await self._etcd.close()

    async def health(self, _request: web.Request) -> web.Response:
        """200 once etcd has been read; the body says whether it answers now."""
        try:
            await self._overview()
        except EtcdUnavailable as error:
            body = {"status": "ok" if self._etcd_was_read else "etcd was not read yet", "etcd": str(error)}
            return web.json_response(body, status=200 if self._etcd_was_read else 503)
        return web.json_response({"status": "ok", "etcd": "answers"})

    async def counts(self, _request: web.Request) -> web.Response:
        """How many tenants, targets of the live version and peers there are."""
        return web.json_response((await self._overview()).counts())

    async def tenants(self, _request: web.Request) -> web.Response:
        """Every tenant with its counts."""
        overview = await self._overview()
        return web.json_response({"tenants": [overview.tenant(tenant) for tenant in overview.tenants]})

    async def tenant(self, request: web.Request) -> web.Response:
        """One tenant with its counts, or 404."""
        overview, tenant = await self._overview(), request.match_info["tenant"]
        if tenant not in overview.tenants:
            return _unknown(tenant)
        return web.json_response(overview.tenant(tenant))

    async def scale(self, request: web.Request) -> web.Response:
        """Give the tenant `size` targets of the live version: 204 done, 202 it has them already, 500 not possible."""
        tenant, text = request.match_info["tenant"], str((await request.post()).get("size", ""))
        if not text.isdecimal() or int(text) < SMALLEST:
            return _failed(f"size must be a whole number of at least {SMALLEST}, not {text!r}")
        size = int(text)
        held = (await self._overview()).live_targets(tenant)
        if len(held) == size:
            return web.Response(status=202)
        reason = await (self._grow(tenant, size) if len(held) < size else self._restart(held[size:]))
        return _failed(reason) if reason else web.Response(status=204)

    async def evict(self, request: web.Request) -> web.Response:
        """Free all targets of a tenant that has no peers: 200 done, 404 unknown, 500 it has peers or a target stays."""
        overview, tenant = await self._overview(), request.match_info["tenant"]
        if tenant not in overview.tenants:
            return _unknown(tenant)
        peers = overview.peers(tenant)
        if peers:
            return _failed(f"tenant {tenant} still has {len(peers)} connected peers")
        reason = await self._restart(overview.targets(tenant))
        return _failed(reason) if reason else web.json_response({"tenant": tenant, "status": "evicted"})

    async def _overview(self) -> Overview:
        overview = await read_overview(self._etcd)
        self._etcd_was_read = True
        return overview

    async def _grow(self, tenant: str, size: int) -> str | None:
        """Returns why it was not possible, or None. Gives nothing unless there is enough for `size`."""
        overview = await self._overview()
        unowned = overview.live_targets(None)
        answers = await asyncio.gather(*(self._answers(target) for target in unowned))
        free = [target for target, answered in zip(unowned, answers, strict=True) if answered]
        missing = size - len(overview.live_targets(tenant))
        if len(free) < missing:
            return f"tenant {tenant} needs {missing} more targets, only {len(free)} are free"
        held = await allocate(self._etcd, tenant, size, counts=lambda _: True, usable=lambda one: one in free)
        return None if len(held) >= size else f"tenant {tenant} got {len(held)} targets, others took the rest"

    async def _restart(self, targets: Sequence[Target]) -> str | None:
        """Restart the targets, which frees them. Returns which one did not answer, or None."""
        for target in targets:
            try:
                async with self._http.delete(f"{target.url}/restart") as response:
                    response.raise_for_status()
            except (aiohttp.ClientError, TimeoutError) as error:
                return f"target {target.url} did not restart: {error or type(error).__name__}"
            logger.info("target restarted", extra={"fields": {"url": target.url, "tenantId": target.tenant}})
        return None

    async def _answers(self, target: Target) -> bool:
        try:
            await probe(self._http, target)
        except (Refused, aiohttp.ClientError, TimeoutError):
            return False
        return True


def _unknown(tenant: str) -> web.Response:
    return web.json_response({"error": f"there is no tenant {tenant}"}, status=404)


def _failed(reason: str) -> web.Response:
    return web.json_response({"error": reason}, status=500)


@web.middleware
async def _etcd_errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Without etcd nothing is known: 503 with the reason."""
    try:
        return await handler(request)
    except (EtcdUnavailable, EtcdRefused) as error:
        return web.json_response({"error": str(error)}, status=503)


def build(environment: Environment) -> web.Application:
    """Return the tenant API as the environment describes it."""
    api = TenantApi(open_etcd(environment))
    app = service.new_app()
    app.middlewares.append(_etcd_errors)
    app.cleanup_ctx.append(api.running)
    app.add_routes(
        [
            web.get("/", api.counts),
            web.get("/health", api.health),
            web.get("/tenants", api.tenants),
            web.get("/tenants/{tenant}", api.tenant),
            web.put("/tenants/{tenant}/scale", api.scale),
            web.delete("/tenants/{tenant}", api.evict),
        ]
    )
    return app


if __name__ == "__main__":
    service.run("tenant-mgmt-api", ("PORT", 2000), build)
