"""What a router tells about the requests it passes on, by tenant, under the names of the original router."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

from aiohttp import hdrs, web

from link.shared.service import supervise
from link.shared.statsd import Statsd

KINDS = {"": "root", "peers": "peer", "peer-management": "peer-management"}
"""The original router's names for what handles a path that begins like that."""


@dataclass
class Passage:
    """A request on its way through the router. `kind` is what its metrics are named after."""

    kind: str
    tenant: str
    began: float = field(default_factory=time.monotonic)
    upgraded: bool = False

    @property
    def gauge(self) -> str:
        """The gauge that counts it while it is an open WebSocket."""
        return "ws.peers" if self.kind == "peer" else "ws.event"


PASSAGE = web.RequestKey("passage", Passage)


class Metering:
    """Counts and times requests, and says every `interval` seconds how many WebSockets each tenant has."""

    def __init__(self, statsd: Statsd, interval: float) -> None:
        self._statsd = statsd
        self._interval = interval
        self._sockets: Counter[tuple[str, str]] = Counter()

    async def running(self, app: web.Application) -> AsyncIterator[None]:
        """Send the gauges for as long as the application runs."""
        telling = supervise(app, self._tell())
        yield
        telling.cancel()
        self._statsd.close()

    @contextlib.contextmanager
    def passage(self, request: web.Request, tenant: str) -> Iterator[None]:
        """Meter a request of the tenant until it is over; as a WebSocket it is open that long."""
        passage = request[PASSAGE] = Passage(_kind(request), tenant)
        try:
            yield
        finally:
            if passage.upgraded:
                self._sockets[passage.gauge, tenant] -= 1

    async def answering(self, request: web.Request, response: web.StreamResponse) -> None:
        """Count and time a metered request; for aiohttp's `on_response_prepare`, when its answer begins."""
        passage = request.get(PASSAGE)
        if passage is None:
            return
        name = f"http.req.{passage.kind}"
        self._statsd.count(f"{name}.status.{response.status // 100}xx", tenant=passage.tenant)
        if response.status == 101:
            passage.upgraded = True
            self._sockets[passage.gauge, passage.tenant] += 1
        else:
            self._statsd.timing(name, time.monotonic() - passage.began, tenant=passage.tenant)

    async def _tell(self) -> None:
        while True:
            for (name, tenant), number in list(self._sockets.items()):
                self._statsd.gauge(name, number, tenant=tenant)
                if not number:  # said once, then the tenant is forgotten
                    del self._sockets[name, tenant]
            await asyncio.sleep(self._interval)


def _kind(request: web.Request) -> str:
    first = request.path.split("/")[1]
    if not first and request.query_string:
        return "query"
    return KINDS.get(first) or ("event" if hdrs.UPGRADE in request.headers else "proxy")
