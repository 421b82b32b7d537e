"""The multi-tenant front of Link: passes each tenant's requests on to the targets of the live version it was given.

Settings: COREOS_PRIVATE_IPV4, PORT (3000), ETCD_PEER_HOSTS, TARGETS_PER_TENANT (2), MONITOR_INTERVAL (2 s).
"""

import asyncio
from collections.abc import AsyncIterator, Sequence

from aiohttp import hdrs, web

from link.routing import proxy, relay
from link.routing.peers import PeerConflict, PeerRecord
from link.shared import service
from link.shared.environment import Environment
from link.shared.etcd import Etcd, EtcdRefused, EtcdUnavailable
from link.shared.monitor import Monitor
from link.shared.records import Target
from link.shared.registry import Registry
from link.tenancy.tenants import Tenants

TENANT_HEADER = "x-apigee-iot-tenant-id"
DEFAULT_TENANT = "default"

PASSED_ON = (
    "/",
    r"/servers{rest:(/.*)?}",
    r"/peers/{name}",
    "/events",
    r"/peer-management{rest:(/.*)?}",
)
"""The Zetta API of a target. Anything else is 404, above all `/restart`: it is not for whoever reaches the router."""


class Router:
    """Ties together what the router knows (registry, monitor) and what it does with a request."""

    def __init__(self, etcd: Etcd, targets_per_tenant: int, monitor_interval: float) -> None:
        self._etcd = etcd
        self._monitor = Monitor(monitor_interval)
        self._registry = Registry(etcd, self._check_all)
        self._tenants = Tenants(etcd, self._registry, self._monitor, targets_per_tenant)
        self._http = proxy.open_session()

    async def running(self, app: web.Application) -> AsyncIterator[None]:
        """Follow etcd and check the targets for as long as the application runs."""
        following = service.supervise(app, self._registry.follow())
        yield
        following.cancel()
        await self._monitor.close()
        await self._http.close()
        await self._etcd.close()

    async def health(self, _request: web.Request) -> web.Response:
        """200 once etcd has been read; etcd lost later must not take every router out of the load balancer."""
        ready = self._registry.revision > 0
        body = {"status": "ok" if ready else "etcd was not read yet", "etcd": self._etcd_state()}
        return web.json_response(body, status=200 if ready else 503)

    async def state(self, _request: web.Request) -> web.Response:
        """What this router believes: the live version, whether etcd answers, and every target with its last check."""
        body = {
            "version": self._registry.version,
            "revision": self._registry.revision,
            "etcd": self._etcd_state(),
            "targets": [self._target_state(target) for target in self._registry.targets],
        }
        return web.json_response(body)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Pass the request on to one of the tenant's targets."""
        tenant = request.headers.get(TENANT_HEADER) or DEFAULT_TENANT
        if not _is_name(tenant):
            return web.json_response({"error": f"{TENANT_HEADER} must be one word without a slash"}, status=400)
        targets = _holders(await self._tenants.targets(tenant), request.path)
        if not targets:
            return web.json_response({"error": f"No available target servers for tenant {tenant}"}, status=503)
        if request.headers.get(hdrs.UPGRADE, "").lower() != "websocket":
            return await proxy.forward(self._http, request, targets)
        if request.path.startswith("/peers/"):
            return await self._peer(request, tenant, targets)
        return await relay.relay(self._http, request, targets)

    async def _peer(self, request: web.Request, tenant: str, targets: Sequence[Target]) -> web.StreamResponse:
        """A hub connects: its name is recorded for as long as it stays."""
        name = request.path.removeprefix("/peers/")
        if not _is_name(name):
            return web.json_response({"error": "a peer's name must be one word without a slash"}, status=400)
        target = targets[0]
        try:
            record = await PeerRecord.claim(self._etcd, tenant, name, target)
        except PeerConflict as error:
            return web.json_response({"error": str(error)}, status=409)
        except (EtcdUnavailable, EtcdRefused) as error:
            return web.json_response({"error": str(error)}, status=503)
        keeping = asyncio.create_task(record.keep())
        try:
            return await relay.relay(self._http, request, [target])
        finally:
            keeping.cancel()
            await asyncio.shield(record.release())

    def _check_all(self) -> None:
        self._monitor.watch(self._registry.targets)

    def _etcd_state(self) -> dict[str, object]:
        return {"connected": self._registry.connected, "since": self._registry.since}

    def _target_state(self, target: Target) -> dict[str, object]:
        verdict = self._monitor.verdict(target)
        return {
            "url": target.url,
            "version": target.version,
            "tenantId": target.tenant,
            "state": verdict.state,
            "reason": verdict.reason,
        }


def _is_name(text: str) -> bool:
    return bool(text) and text.isprintable() and "/" not in text and " " not in text


def _holders(targets: list[Target], path: str) -> list[Target]:
    """A path below `/servers/cloud-<port>` is only known to the targets of that port; any other to all of them."""
    name = path.removeprefix("/servers/").split("/")[0] if path.startswith("/servers/") else ""
    named = [target for target in targets if name == f"cloud-{target.authority.rpartition(':')[2]}"]
    return named or targets


def build(environment: Environment) -> web.Application:
    """Return the router as the environment describes it."""
    router = Router(
        Etcd(environment.etcd_endpoints()),
        targets_per_tenant=int(environment.number("TARGETS_PER_TENANT", 2, 1, 100)),
        monitor_interval=environment.number("MONITOR_INTERVAL", 2, 0.05, 3600),
    )
    app = service.new_app()
    app.cleanup_ctx.append(router.running)
    app.router.add_get("/health", router.health)
    app.router.add_get("/state", router.state)
    for path in PASSED_ON:
        app.router.add_route("*", path, router.handle)
    return app


if __name__ == "__main__":
    service.run("router", ("PORT", 3000), build)
