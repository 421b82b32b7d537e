"""HTTP through a real proxy process to real targets."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

from aiohttp import ClientSession
from yarl import URL

from tests.local.balancers.proxies import ToldProxy, group, name, soon, status
from tests.local.balancers.targets import TargetServer
from tyrell.local.balancers import config


async def test_a_request_reaches_the_target_as_it_was_sent(
    proxy: ToldProxy, blue: TargetServer, client: ClientSession
) -> None:
    proxy.tell(group(blue))
    sent = {"Host": "link.example", "X-Forwarded-For": "10.9.8.7", "Connection": "X-Mine", "X-Mine": "1", "X-Kept": "2"}
    async with client.put(URL("/echo?a=%2F&b=", encoded=True), data=b"x" * 5000, headers=sent) as answer:
        assert answer.headers["X-Target"] == "blue"
        seen = await answer.json()
    headers = {name.lower(): value for name, value in seen["headers"]}
    assert (seen["method"], seen["path"], seen["received"]) == ("PUT", "/echo?a=%2F&b=", 5000)
    assert headers["host"] == "link.example"
    assert headers["x-forwarded-for"] == "10.9.8.7, 127.0.0.1"
    assert headers["x-forwarded-proto"] == "http"
    assert headers["x-forwarded-port"] == str(proxy.port)
    assert headers["x-kept"] == "2"
    assert "x-mine" not in headers


async def test_large_bodies_stream_through_in_both_directions(
    proxy: ToldProxy, blue: TargetServer, client: ClientSession
) -> None:
    proxy.tell(group(blue))
    size = 32 * 1024 * 1024

    async def body() -> AsyncIterator[bytes]:
        for _ in range(size // 65536):
            yield b"x" * 65536

    async with client.post("/echo", data=body()) as answer:
        assert (await answer.json())["received"] == size
    async with client.get(f"/bytes/{size}") as answer:
        assert sum([len(chunk) async for chunk in answer.content.iter_any()]) == size


async def test_an_answer_to_head_has_the_length_and_no_body(
    proxy: ToldProxy, blue: TargetServer, client: ClientSession
) -> None:
    proxy.tell(group(blue))
    async with client.head("/") as answer:
        assert (answer.status, answer.headers["Content-Length"], await answer.read()) == (200, "4", b"")
    assert await name(client) == "blue"


async def test_a_client_that_expects_100_continue_gets_it(
    proxy: ToldProxy, blue: TargetServer, client: ClientSession
) -> None:
    proxy.tell(group(blue))
    async with client.post("/echo", data=b"hello", expect100=True) as answer:
        assert (await answer.json())["received"] == 5


async def test_targets_take_turns_and_weights_are_kept(
    proxy: ToldProxy, blue: TargetServer, green: TargetServer, client: ClientSession
) -> None:
    proxy.tell(group(blue, green))
    await proxy.healthy(blue, green)
    assert Counter([await name(client) for _ in range(10)]) == {"blue": 5, "green": 5}
    proxy.tell(group(blue), group(green), weights=(9, 1))
    assert Counter([await name(client) for _ in range(20)]) == {"blue": 18, "green": 2}


async def test_least_outstanding_requests_avoids_the_busy_target(
    proxy: ToldProxy, blue: TargetServer, green: TargetServer, client: ClientSession
) -> None:
    proxy.tell(group(blue, green, algorithm="least_outstanding_requests"))
    await proxy.healthy(blue, green)
    held = asyncio.create_task(name(client, "/held"))
    await soon(lambda: blue.started.is_set() or green.started.is_set())
    idle = "green" if blue.started.is_set() else "blue"
    assert {await name(client) for _ in range(5)} == {idle}
    blue.finish.set()
    green.finish.set()
    assert await held != idle


async def test_only_healthy_targets_are_asked_until_none_is_healthy(
    proxy: ToldProxy, blue: TargetServer, green: TargetServer, client: ClientSession
) -> None:
    green.health = 500
    proxy.tell(group(blue, green))
    await proxy.healthy(blue)
    assert {await name(client) for _ in range(6)} == {"blue"}
    blue.health = 500
    await soon(lambda: proxy.target(blue).state, lambda state: state == "unhealthy")
    assert {await name(client) for _ in range(6)} == {"blue", "green"}


async def test_rules_answer_redirect_and_forward(
    proxy: ToldProxy, blue: TargetServer, green: TargetServer, client: ClientSession
) -> None:
    def path(arn: str, pattern: str, action: config.Action) -> config.Rule:
        return config.Rule(
            arn=arn, conditions=(config.Condition(field="path-pattern", values=(pattern,)),), action=action
        )

    rules = (
        path("fixed", "/closed", config.FixedResponse(status=503, body="no live version")),
        path("moved", "/old/*", config.Redirect(status=301, path="/new")),
        path("green", "/green", config.Forward(weights={"1": 1})),
    )
    proxy.tell(group(blue), group(green), weights=(1, 0), rules=rules)
    async with client.get("/closed") as answer:
        assert (answer.status, await answer.text()) == (503, "no live version")
    async with client.get("/old/page", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (301, f"{proxy.url}/new")
    assert await name(client, "/green") == "green"
    assert await name(client, "/") == "blue"


async def test_all_requests_are_logged_when_access_logs_are_enabled(
    proxy: ToldProxy, blue: TargetServer, client: ClientSession
) -> None:
    proxy.tell(group(blue))
    await status(client, "/not-logged")
    proxy.tell(group(blue), access_log=True)
    await status(client, "/logged")
    await soon(lambda: '"/logged"' in proxy.log.read_text())
    assert "/not-logged" not in proxy.log.read_text()
