"""Asking a router, and targets of a test's own for it to ask."""

from typing import Any

import aiohttp
from aiohttp import web

from link.shared.etcd import Etcd
from link.shared.records import Target
from tests.link.processes import HOSTS, Stack
from tests.link.waiting import eventually
from tests.waiting import free_port

TENANT = "x-apigee-iot-tenant-id"


async def answer_of(http: aiohttp.ClientSession, url: str, tenant: str) -> dict[str, Any]:
    """Return what the target that answers the tenant's `GET /` says of itself."""
    async with http.get(url, headers={TENANT: tenant}) as response:
        assert response.status == 200, await response.text()
        properties: dict[str, Any] = (await response.json())["properties"]
        return properties


async def states(http: aiohttp.ClientSession, router: str) -> dict[str, str]:
    """Return url -> state of all targets, as the router sees them."""
    async with http.get(f"{router}/state") as response:
        return {target["url"]: target["state"] for target in (await response.json())["targets"]}


async def await_up(http: aiohttp.ClientSession, router: str, targets: list[str]) -> None:
    """Wait until the router sees exactly these targets, all up."""

    async def all_up() -> bool:
        return await states(http, router) == dict.fromkeys(targets, "UP")

    await eventually(f"{router} sees {targets} up", all_up)


async def own_target(stack: Stack, etcd: Etcd, app: web.Application) -> tuple[str, web.AppRunner]:
    """Serve an application of the test's own as a registered target; return its URL and what stops it."""

    async def root(_request: web.Request) -> web.Response:
        return web.json_response({"properties": {}})

    app.router.add_get("/", root)
    host = next(HOSTS)
    port = free_port(host)
    runner = await stack.serve(app, host, port)
    target = Target(f"http://{host}:{port}", "2026-01-01T00:00:00.000Z", "v1")
    await etcd.put(target.key, target.to_json())
    return target.url, runner
