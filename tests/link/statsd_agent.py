"""An agent that keeps what it is told, for tests of what services tell."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from tests.link.waiting import eventually


class Agent(asyncio.DatagramProtocol):
    """The lines it was told, in their order, at `address` (IP:port)."""

    def __init__(self) -> None:
        self.address = ""
        self.lines: list[str] = []

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]  # it is one
        """Where it listens."""
        self.address = ":".join(map(str, transport.get_extra_info("sockname")))

    def datagram_received(self, data: bytes, addr: object) -> None:
        """Keep the line."""
        self.lines.append(data.decode())

    async def told(self, beginning: str) -> str:
        """Wait for a line that begins like this and return it."""

        async def look() -> list[str]:
            return [line for line in self.lines if line.startswith(beginning)]

        return (await eventually(f"a metric {beginning}...", look))[0]


@contextlib.asynccontextmanager
async def statsd_agent() -> AsyncIterator[Agent]:
    """An agent on a port of its own."""
    loop = asyncio.get_running_loop()
    transport, agent = await loop.create_datagram_endpoint(Agent, local_addr=("127.31.0.1", 0))
    try:
        yield agent
    finally:
        transport.close()
