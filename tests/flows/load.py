"""A steady load on a stack: requests at a constant rate, and WebSockets that are opened again as soon as they end."""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

import aiohttp
import uvloop
from aiohttp import WSMsgType

from tests.flows.load_report import Gap, Report, Request

TENANT_HEADER = "x-apigee-iot-tenant-id"
TENANTS = ("acme", "globex", "initech")

ANSWER_WITHIN = 10.0
MESSAGE_WITHIN = 3.0
"""A target sends its readings every second: a WebSocket that says nothing for so long is lost."""

RETRY = 0.1
FAILURES = (aiohttp.ClientError, TimeoutError, ValueError, KeyError)


class Load:
    """Load for as long as a `with` block runs: `Load(url, rate=200, sockets=50)`.

    `rate` is requests per second of `GET /`, `sockets` the number of WebSockets on `/events`; both are spread over the
    `tenants`. Arrivals are constant whether or not earlier ones were answered, and a latency counts from the moment
    the request was due, so a stall is seen by every request that it would have delayed. The block begins once every
    tenant was answered and every WebSocket had a message, within `patience` seconds.
    """

    def __init__(
        self,
        url: str,
        rate: float = 200,
        sockets: int = 50,
        tenants: Sequence[str] = TENANTS,
        patience: float = 30,
    ) -> None:
        self._url = url
        self._patience = patience
        self._rate = rate
        self._tenants = tenants
        self._requests: list[Request] = []
        self._listeners = [Listener(url, tenants[number % len(tenants)]) for number in range(sockets)]
        self._stop = threading.Event()
        self._under_way = threading.Event()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="load")
        self._running: Future[None] | None = None
        self._since = 0.0
        self._until: float | None = None

    def __enter__(self) -> Self:
        """Return when the load is under way; what came before is not told. Raises TimeoutError."""
        self._running = self._thread.submit(self._run)
        if not self._under_way.wait(self._patience):
            silent = f"{sum(not each.heard for each in self._listeners)} of {len(self._listeners)} WebSockets"
            self._finish()
            raise TimeoutError(
                f"{self._url}: {silent} had no message after {self._patience:g} s; {Report(self._requests)}"
            )
        self._since = time.time()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the load; requests in flight are waited for."""
        self._finish()

    def report(self) -> Report:
        """What happened from the beginning of the block until now, or until its end."""
        until = self._until or time.time()
        gaps = [gap for listener in self._listeners for gap in listener.gaps_until(until) if gap.ended > self._since]
        broken = sum(listener.broken for listener in self._listeners)
        return Report([request for request in self._requests[:] if request.at >= self._since], gaps, broken)

    def _finish(self) -> None:
        self._until = time.time()
        self._stop.set()
        assert self._running is not None
        self._running.result()
        self._thread.shutdown()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._drive())

    async def _drive(self) -> None:
        timeout = aiohttp.ClientTimeout(total=ANSWER_WITHIN)
        async with (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=timeout) as session,
            asyncio.TaskGroup() as group,
        ):
            listening = [group.create_task(listener.run(session)) for listener in self._listeners]
            begin, tenants = time.time(), itertools.cycle(self._tenants)
            for number in itertools.count():
                due = begin + number / self._rate
                await asyncio.sleep(due - time.time())
                if self._stop.is_set():
                    break
                group.create_task(self._ask(session, next(tenants), due))
                self._notice_under_way()
            for task in listening:
                task.cancel()

    def _notice_under_way(self) -> None:
        if not self._under_way.is_set():
            answered = {request.tenant for request in self._requests if not request.failure}
            if answered == set(self._tenants) and all(listener.heard for listener in self._listeners):
                self._under_way.set()

    async def _ask(self, session: aiohttp.ClientSession, tenant: str, due: float) -> None:
        holder, version, failure = None, "", ""
        try:
            async with session.get(f"{self._url}/", headers={TENANT_HEADER: tenant}) as answer:
                body = await answer.read()
                if answer.status == 200:
                    properties = json.loads(body)["properties"]
                    holder, version = properties["tenantId"], properties["version"]
                else:
                    failure = f"status {answer.status}: {body[:80].decode(errors='replace').strip()}"
        except FAILURES as error:
            failure = f"{type(error).__name__}: {error}"
        self._requests.append(Request(due, time.time() - due, tenant, holder, version, failure))


class Listener:
    """One WebSocket on `/events`, opened again whenever it ends, and the gaps in which it heard nothing."""

    def __init__(self, url: str, tenant: str) -> None:
        self.heard = False
        self.broken = 0
        self._url = url
        self._headers = {TENANT_HEADER: tenant}
        self._gaps: list[Gap] = []
        self._lost: tuple[float, str] | None = None

    def gaps_until(self, until: float) -> list[Gap]:
        """Every gap; one that has not ended lasts until then."""
        lost = self._lost
        return [*self._gaps, *([Gap(lost[0], until - lost[0], lost[1])] if lost else [])]

    async def run(self, session: aiohttp.ClientSession) -> None:
        """Listen until cancelled."""
        while True:
            try:
                await self._listen(session)
            except (aiohttp.ClientError, TimeoutError) as error:
                self._lose(f"{type(error).__name__}: {error}")
                await asyncio.sleep(RETRY)

    async def _listen(self, session: aiohttp.ClientSession) -> None:
        closing = aiohttp.ClientWSTimeout(ws_close=1.0)
        async with session.ws_connect(f"{self._url}/events", headers=self._headers, timeout=closing) as socket:
            try:
                while (message := await socket.receive(MESSAGE_WITHIN)).type is WSMsgType.TEXT:
                    self._hear(message.data)
            except TimeoutError:
                self._lose("silent", ago=MESSAGE_WITHIN)
            else:
                self._lose(f"closed with {socket.close_code}")

    def _hear(self, text: str) -> None:
        try:
            json.loads(text)["topic"]
        except FAILURES:
            self.broken += 1
        self.heard = True
        if self._lost:
            lost_at, reason = self._lost
            self._gaps.append(Gap(lost_at, time.time() - lost_at, reason))
            self._lost = None

    def _lose(self, reason: str, ago: float = 0.0) -> None:
        """The first reason counts: that nobody answers afterwards is its consequence."""
        self._lost = self._lost or (time.time() - ago, reason)
