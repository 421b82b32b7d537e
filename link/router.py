"""The multi-tenant front of Link: passes each tenant's requests on to the targets of the live version it was given.

`/drain` sends its WebSockets away before it is retired; only the operator's machine can ask for it.

Settings: COREOS_PRIVATE_IPV4, PORT (3000), ETCD_PEER_HOSTS, ZETTA_STACK, AWS_REGION (us-east-1),
TARGETS_PER_TENANT (2), MONITOR_INTERVAL (2 s), METRICS_INTERVAL (5 s), STATSD_HOST (port 8125 of this machine).
"""

import functools
from collections.abc import AsyncIterator

from aiohttp import hdrs, web

from link.routing import proxy, relay
from link.routing.attempts import Ask, Attempts
from link.routing.drain import Drain
from link.routing.metering import Metering
from link.routing.peers import PeerConflict, claimed
from link.shared import service
from link.shared.core_services import open_etcd
from link.shared.environment import Environment
from link.shared.etcd import Etcd, EtcdRefused, EtcdUnavailable
from link.shared.monitor import Monitor
from link.shared.records import Target
from link.shared.registry import Registry
from link.shared.statsd import open_statsd
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

    def __init__(self, etcd: Etcd, metering: Metering, targets_per_tenant: int, monitor_interval: float) -> None:
        self._etcd = etcd
        self._metering = metering
        self._monitor = Monitor(monitor_interval)
        self._registry = Registry(etcd, self._check_all)
        tenants = Tenants(etcd, self._registry, self._monitor, targets_per_tenant)
        self._attempts = Attempts(tenants, self._monitor)
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
        with self._metering.passage(request, tenant):
            return await self._attempts.answer(tenant, request.path, self._way(request, tenant))

    def _way(self, request: web.Request, tenant: str) -> Ask:
        """How a target is asked: for a WebSocket, for that of a hub, or for a plain answer."""
        if request.headers.get(hdrs.UPGRADE, "").lower() != "websocket":
            return functools.partial(proxy.forward, self._http, request)
        if request.path.startswith("/peers/"):
            return functools.partial(self._peer, request, tenant)
        return functools.partial(relay.relay, self._http, request)

    async def _peer(self, request: web.Request, tenant: str, target: Target) -> web.StreamResponse:
        """A hub connects: its name is recorded for as long as it stays."""
        name = request.path.removeprefix("/peers/")
        if not _is_name(name):
            return web.json_response({"error": "a peer's name must be one word without a slash"}, status=400)
        try:
            async with claimed(self._etcd, tenant, name, target) as record:
                return await relay.relay(self._http, request, target, before_leaving=record.release)
        except PeerConflict as error:
            return web.json_response({"error": str(error)}, status=409)
        except (EtcdUnavailable, EtcdRefused) as error:
            return web.json_response({"error": str(error)}, status=503)

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


def build(environment: Environment) -> web.Application:
    """Return the router as the environment describes it."""
    statsd = open_statsd(environment, routerHost=environment.address())
    metering = Metering(statsd, environment.number("METRICS_INTERVAL", 5, 0.05, 3600))
    router = Router(
        open_etcd(environment),
        metering,
        targets_per_tenant=int(environment.number("TARGETS_PER_TENANT", 2, 1, 100)),
        monitor_interval=environment.number("MONITOR_INTERVAL", 2, 0.05, 3600),
    )
    app = service.new_app()
    drain = Drain(app[service.SOCKETS])
    app.cleanup_ctx.extend([router.running, drain.running, metering.running])
    app.on_response_prepare.append(metering.answering)
    app.router.add_get("/health", router.health)
    app.router.add_get("/state", router.state)
    app.router.add_get("/drain", drain.state)
    app.router.add_post("/drain", drain.start)
    for path in PASSED_ON:
        app.router.add_route("*", path, router.handle)
    return app


if __name__ == "__main__":
    service.run("router", ("PORT", 3000), build)
