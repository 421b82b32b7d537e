"""A port of a load balancer that is being listened on."""

from __future__ import annotations

from functools import partial

from aiohttp import web

from tyrell.local.balancers.config import Balancer
from tyrell.local.balancers.service import Service

_LARGEST_HEADER_LINE = 16384
"""Bytes; the quota of Application Load Balancers for one header line and for the request line."""


_LAST_REQUESTS = 1
"""Seconds that requests in flight have when their listener is deleted."""


class Listening:
    """One open port."""

    def __init__(self, runner: web.ServerRunner) -> None:
        self._runner = runner

    @classmethod
    async def open(cls, service: Service, balancer: Balancer, port: int) -> Listening:
        """Listen on `port` of the balancer's address; raises OSError when that is not possible.

        The idle timeout that holds for clients' connections is the one the balancer has at this moment.
        """
        server = web.Server(
            partial(service.answer, port=port),
            handler_cancellation=True,
            keepalive_timeout=balancer.idle_timeout,
            max_line_size=_LARGEST_HEADER_LINE,
            max_field_size=_LARGEST_HEADER_LINE,
            access_log=None,
        )
        runner = web.ServerRunner(server, shutdown_timeout=_LAST_REQUESTS)
        await runner.setup()
        try:
            await web.TCPSite(runner, balancer.address, port, backlog=1024).start()
        except OSError:
            await runner.cleanup()
            raise
        return cls(runner)

    async def close(self) -> None:
        """Close the port, and in a second the connections that came in on it."""
        await self._runner.cleanup()
