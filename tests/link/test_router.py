"""The router before real targets: plain requests."""

import asyncio
import functools

import aiohttp
import pytest
from aiohttp import web

from link.shared.etcd import Etcd
from link.shared.records import TARGETS, VERSION_KEY, Target
from tests.link.asking import TENANT, answer_of, await_up, own_target, states
from tests.link.processes import Stack
from tests.link.waiting import eventually


async def test_a_tenants_requests_go_to_its_own_two_targets_in_turn(stack: Stack, http: aiohttp.ClientSession) -> None:
    targets = [await stack.target() for _ in range(4)]
    router = await stack.router()
    await await_up(http, router, targets)
    seen = {tenant: {(await answer_of(http, router, tenant))["url"] for _ in range(6)} for tenant in ("acme", "bolt")}
    seen = {
        tenant: first | {(await answer_of(http, router, tenant))["url"] for _ in range(6)}
        for tenant, first in seen.items()
    }
    assert [len(urls) for urls in seen.values()] == [2, 2]
    assert not seen["acme"] & seen["bolt"]


async def test_two_routers_agree_whose_target_is_whose(stack: Stack, http: aiohttp.ClientSession, etcd: Etcd) -> None:
    targets = [await stack.target() for _ in range(4)]
    routers = [await stack.router() for _ in range(2)]
    for router in routers:
        await await_up(http, router, targets)
    tenants = ["acme", "bolt"] * 5
    await asyncio.gather(*(answer_of(http, router, tenant) for tenant in tenants for router in routers))
    records = (await etcd.read(TARGETS)).records.values()
    owners = sorted(str(target.tenant) for record in records if (target := Target.from_json(record.value)))
    assert owners == ["acme", "acme", "bolt", "bolt"]
    answers = await asyncio.gather(*(answer_of(http, router, "acme") for router in routers * 6))
    assert len({one["url"] for one in answers}) == 2
    assert {one["tenantId"] for one in answers} <= {"acme", None}


async def test_without_a_free_target_the_answer_is_503_and_says_so(stack: Stack, http: aiohttp.ClientSession) -> None:
    target = await stack.target(version="v2")
    router = await stack.router()
    await await_up(http, router, [target])
    async with http.get(router, headers={TENANT: "acme"}) as response:
        assert response.status == 503
        assert await response.json() == {"error": "No available target servers for tenant acme"}


async def test_new_requests_follow_a_switch_and_a_switch_back(
    stack: Stack, http: aiohttp.ClientSession, etcd: Etcd
) -> None:
    targets = {version: [await stack.target(version) for _ in range(2)] for version in ("v1", "v2")}
    router = await stack.router()
    await await_up(http, router, targets["v1"] + targets["v2"])
    for version in ("v1", "v2", "v1"):
        await etcd.put(VERSION_KEY, f'{{ "version": "{version}"}}')

        async def is_served_by(wanted: str = version) -> bool:
            return bool((await answer_of(http, router, "acme"))["version"] == wanted)

        await eventually(f"requests reach {version}", is_served_by)


async def test_a_dead_target_costs_no_request(stack: Stack, http: aiohttp.ClientSession, etcd: Etcd) -> None:
    """Its record is still there and no check has noticed yet: the first request that is refused does."""
    alive = await stack.target()
    dead, listener = await own_target(stack, etcd, web.Application())
    router = await stack.router(MONITOR_INTERVAL="60")
    await await_up(http, router, [alive, dead])
    await eventually("both are given", functools.partial(_both_given, http, router))
    await listener.cleanup()
    for _ in range(4):
        assert (await answer_of(http, router, "acme"))["url"] == alive
    assert await states(http, router) == {alive: "UP", dead: "DOWN"}


async def test_a_tenant_whose_targets_are_both_dead_is_given_another_by_the_same_request(
    stack: Stack, http: aiohttp.ClientSession, etcd: Etcd
) -> None:
    """No check has noticed yet."""
    dead = [await own_target(stack, etcd, web.Application()) for _ in range(2)]
    router = await stack.router(MONITOR_INTERVAL="60")
    await await_up(http, router, [url for url, _ in dead])
    await eventually("both are given", functools.partial(_both_given, http, router))
    alive = await stack.target()
    await await_up(http, router, [alive, *(url for url, _ in dead)])
    for _, listener in dead:
        await listener.cleanup()
    assert (await answer_of(http, router, "acme"))["url"] == alive


async def _both_given(http: aiohttp.ClientSession, router: str) -> bool:
    await answer_of(http, router, "acme")
    async with http.get(f"{router}/state") as response:
        tenants: list[str | None] = [target["tenantId"] for target in (await response.json())["targets"]]
    return tenants == ["acme", "acme"]


async def test_bodies_of_any_size_stream_through_unchanged(
    stack: Stack, http: aiohttp.ClientSession, etcd: Etcd
) -> None:
    body = bytes(range(256)) * 4096

    async def echo(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=207, headers={"X-Seen-Host": request.host, "Content-Encoding": "x-own"})
        response.headers.extend([("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
        await response.prepare(request)
        async for chunk in request.content.iter_any():
            await response.write(chunk)
        return response

    app = web.Application(client_max_size=2**24)
    app.router.add_post("/servers/echo", echo)
    target, _runner = await own_target(stack, etcd, app)
    router = await stack.router()
    await await_up(http, router, [target])
    async with http.post(f"{router}/servers/echo?a=%2F", data=body) as response:
        assert (response.status, response.headers["X-Seen-Host"]) == (207, router.removeprefix("http://"))
        assert response.headers["Content-Encoding"] == "x-own"
        assert response.headers.getall("Set-Cookie") == ["a=1", "b=2"]
        assert await response.read() == body


async def test_only_what_is_safe_to_repeat_is_asked_of_another_target(
    stack: Stack, http: aiohttp.ClientSession, etcd: Etcd
) -> None:
    """The client library itself repeats a GET once when a connection that was kept open turns out to be closed."""
    asked: list[tuple[str, str]] = []

    async def break_off(request: web.Request) -> web.Response:
        assert request.transport is not None
        asked.append((request.method, str(request.transport.get_extra_info("sockname")[1])))
        request.transport.abort()
        return web.Response()

    targets = []
    for _ in range(2):
        app = web.Application()
        app.router.add_route("*", "/servers/break", break_off)
        targets.append((await own_target(stack, etcd, app))[0])
    router = await stack.router()
    await await_up(http, router, targets)
    await eventually("both are given", functools.partial(_both_given, http, router))
    for method in ("GET", "POST"):
        async with http.request(method, f"{router}/servers/break", headers={TENANT: "acme"}) as response:
            assert response.status == 502
    ports = {target.rpartition(":")[2] for target in targets}
    assert {port for method, port in asked if method == "GET"} == ports
    assert len([method for method, _ in asked if method == "POST"]) == 1


@pytest.mark.parametrize(("method", "path"), [("DELETE", "/restart"), ("GET", "/restart"), ("GET", "/elsewhere")])
async def test_what_is_no_part_of_the_api_reaches_no_target(
    stack: Stack, http: aiohttp.ClientSession, etcd: Etcd, method: str, path: str
) -> None:
    asked: list[str] = []

    async def remember(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response()

    app = web.Application()
    app.router.add_route("*", "/{path:(restart|elsewhere)}", remember)
    target, _runner = await own_target(stack, etcd, app)
    router = await stack.router()
    await await_up(http, router, [target])
    async with http.request(method, f"{router}{path}", headers={TENANT: "acme"}) as response:
        assert response.status == 404
    assert asked == []


async def test_a_head_request_has_the_length_and_no_body(stack: Stack, http: aiohttp.ClientSession) -> None:
    target = await stack.target()
    router = await stack.router()
    await await_up(http, router, [target])
    async with http.head(f"{router}/health-of-target", headers={TENANT: "acme"}) as response:
        assert (response.status, await response.read()) == (404, b"")
    async with http.head(f"{router}/servers/cloud-{target.rpartition(':')[2]}", headers={TENANT: "acme"}) as response:
        assert (response.status, await response.read()) == (200, b"")
        assert int(response.headers["Content-Length"]) > 100
