"""One Zetta target: a small Siren API over mock devices, registered in etcd for the routers to find.

Settings: COREOS_PRIVATE_IPV4, MAPPED_PORT (3001), VERSION, ETCD_PEER_HOSTS, ZETTA_STACK, LEASE_TTL (15 s),
DEVICE_DATA_QUEUE and USAGE_QUEUE (URLs; empty is off), AWS_REGION (us-east-1), SAMPLE_INTERVAL (30 s),
PING_INTERVAL (of hubs, 10 s), STATSD_HOST (port 8125 of this machine).
"""

from aiohttp import web

from link.shared import service
from link.shared.core_services import open_etcd
from link.shared.environment import Environment
from link.shared.statsd import open_statsd
from link.zetta.api import ZettaApi
from link.zetta.registration import Registration
from link.zetta.samples import Queue, Sampler
from link.zetta.usage import Usage

PORT = ("MAPPED_PORT", 3001)


def build(environment: Environment) -> web.Application:
    """Return the target as the environment describes it."""
    address, port = environment.address(), environment.port(*PORT)
    url, server, version = f"http://{address}:{port}", f"cloud-{port}", environment.text("VERSION")
    ttl = environment.number("LEASE_TTL", 15, 1, 3600)
    registration = Registration(open_etcd(environment), url, version, ttl)
    usage = Usage(server, open_statsd(environment), tenant=lambda: registration.tenant)
    ping_interval = environment.number("PING_INTERVAL", 10, 0.1, 3600)
    api = ZettaApi(url, server, version, registration, usage, ping_interval)

    app = service.new_app()
    app[service.BEFORE_STOP].append(registration.leave)
    app.cleanup_ctx.extend([registration.running, _sampler(environment, server, api, registration).running])
    app.on_response_prepare.append(usage.answering)
    app.add_routes(
        [
            web.get("/", api.root),
            web.get("/health", api.health),
            web.delete("/restart", api.restart),
            web.get("/events", api.events),
            web.get("/peers/{name}", api.peer),
            web.get("/servers/{server}", api.server),
            web.get("/servers/{server}/devices/{device}", api.device),
            web.post("/servers/{server}/devices/{device}", api.act),
        ]
    )
    return app


def _sampler(environment: Environment, server: str, api: ZettaApi, registration: Registration) -> Sampler:
    region = environment.text("AWS_REGION", "us-east-1")
    return Sampler(
        server,
        api.devices,
        api.connections,
        tenant=lambda: registration.tenant,
        device_queue=Queue(environment.text("DEVICE_DATA_QUEUE", ""), region),
        usage_queue=Queue(environment.text("USAGE_QUEUE", ""), region),
        interval=environment.number("SAMPLE_INTERVAL", 30, 0.1, 3600),
    )


if __name__ == "__main__":
    service.run("target", PORT, build)
