"""The load notices what goes wrong, tried on a server that does one thing wrong at a time."""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
from collections.abc import Callable, Iterator

import pytest
from aiohttp import web

from tests.flows.load import MESSAGE_WITHIN, TENANT_HEADER, Load
from tests.waiting import eventually, free_port

pytestmark = pytest.mark.cloud

HOST = "127.44.200.1"


class Server:
    """Answers as a stack does, until its attributes say otherwise."""

    def __init__(self) -> None:
        self.url = f"http://{HOST}:{free_port(HOST)}"
        self.loop = asyncio.new_event_loop()
        self.holder: Callable[[str], str] = lambda tenant: tenant
        self.version = "one"
        self.fail_every = 0
        self.silent = False
        self.message = json.dumps({"topic": "thermometer/thermometer-1/temperature"})
        self._sockets: set[web.WebSocketResponse] = set()
        self._turn = itertools.count(1)

    def serve(self) -> None:
        """Serve until the loop is stopped."""
        app = web.Application()
        app.add_routes([web.get("/", self._root), web.get("/events", self._events)])
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        self.loop.run_until_complete(runner.setup())
        self.loop.run_until_complete(web.TCPSite(runner, HOST, int(self.url.split(":")[-1])).start())
        self.loop.run_forever()
        self.loop.run_until_complete(runner.cleanup())
        self.loop.close()

    def close_sockets(self) -> None:
        """Close every WebSocket with 1001."""

        async def close() -> None:
            await asyncio.gather(*(socket.close(code=1001) for socket in tuple(self._sockets)))

        asyncio.run_coroutine_threadsafe(close(), self.loop).result(5)

    def stall(self, seconds: float) -> None:
        """Do nothing at all for some time."""
        self.loop.call_soon_threadsafe(threading.Event().wait, seconds)

    async def _root(self, request: web.Request) -> web.Response:
        if self.fail_every and next(self._turn) % self.fail_every == 0:
            return web.Response(status=503, text="no target")
        properties = {"tenantId": self.holder(request.headers[TENANT_HEADER]), "version": self.version}
        return web.json_response({"properties": properties})

    async def _events(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._sockets.add(socket)
        try:
            while not socket.closed:
                if not self.silent:
                    await socket.send_str(self.message)
                await asyncio.sleep(0.1)
        finally:
            self._sockets.discard(socket)
        return socket


@pytest.fixture
def server() -> Iterator[Server]:
    """A server in a thread of its own."""
    server = Server()
    thread = threading.Thread(target=server.serve)
    thread.start()
    yield server
    server.loop.call_soon_threadsafe(server.loop.stop)
    thread.join()


def enough(load: Load) -> None:
    """Return when a hundred more requests are over."""
    before = len(load.report().requests)
    eventually("a hundred more requests", lambda: len(load.report().requests) >= before + 100)


def test_nothing_is_found_where_nothing_is_wrong(server: Server) -> None:
    with Load(server.url, sockets=6) as load:
        enough(load)
    report = load.report()
    assert (report.failed, report.wrong_tenant, report.gaps, report.broken) == ([], [], [], 0)
    assert {request.tenant for request in report.requests} == {"acme", "globex", "initech"}


def test_requests_come_at_the_rate_that_was_asked_for(server: Server) -> None:
    with Load(server.url, rate=100, sockets=0) as load:
        enough(load)
    first, *_, last = sorted(request.at for request in load.report().requests)
    assert (len(load.report().requests) - 1) / (last - first) == pytest.approx(100, rel=0.05)


def test_failed_requests_are_counted_with_their_reason(server: Server) -> None:
    with Load(server.url, sockets=0) as load:
        server.fail_every = 4
        enough(load)
        server.fail_every = 0
    report = load.report()
    assert len(report.failed) >= 25
    assert {request.failure for request in report.failed} == {"status 503: no target"}
    assert "status 503: no target" in str(report)


def test_an_answer_of_another_tenants_target_is_noticed(server: Server) -> None:
    with Load(server.url, sockets=0) as load:
        server.holder = lambda _: "acme"
        enough(load)
    wrong = load.report().wrong_tenant
    assert {(request.tenant, request.holder) for request in wrong} == {("globex", "acme"), ("initech", "acme")}


def test_a_stall_is_in_the_latency_of_every_request_that_was_due_meanwhile(server: Server) -> None:
    with Load(server.url, sockets=0) as load:
        server.stall(0.5)
        enough(load)
    late = [request for request in load.report().requests if request.seconds > 0.1]
    assert len(late) >= 0.3 * 200
    assert load.report().latency(100) > 0.4


def test_versions_tell_who_answered_and_until_when(server: Server) -> None:
    with Load(server.url, sockets=0) as load:
        enough(load)
        server.version = "two"
        enough(load)
    versions = load.report().versions
    assert set(versions) == {"one", "two"}
    assert versions["one"].first < versions["one"].last < versions["two"].last


def test_websockets_that_were_closed_are_back_and_the_gap_is_known(server: Server) -> None:
    with Load(server.url, sockets=6) as load:
        server.close_sockets()
        eventually("all to be back", lambda: len(load.report().gaps) == 6)
        enough(load)
    report = load.report()
    assert {gap.reason for gap in report.gaps} == {"closed with 1001"}
    assert 0 < report.longest_gap < 2


def test_a_websocket_that_says_nothing_is_lost_since_its_last_message(server: Server) -> None:
    with Load(server.url, sockets=1) as load:
        server.silent = True
        eventually("the silence to be noticed", lambda: load.report().gaps)
        server.silent = False
        enough(load)
    (gap,) = load.report().gaps
    assert gap.reason == "silent"
    assert MESSAGE_WITHIN < gap.seconds < MESSAGE_WITHIN + 2


def test_a_message_that_is_no_event_is_broken(server: Server) -> None:
    with Load(server.url, sockets=1) as load:
        server.message = '{"topic": "thermom'
        eventually("broken messages", lambda: load.report().broken > 0)


def test_a_server_that_is_not_there_is_an_error_at_the_start() -> None:
    nobody = f"http://{HOST}:{free_port(HOST)}"
    with pytest.raises(TimeoutError, match="2 of 2 WebSockets had no message"), Load(nobody, sockets=2, patience=0.5):
        pass
