"""Usage APIs of the tests' own."""

import contextlib
from collections.abc import AsyncIterator

from link import usage_api
from link.shared.access import Access
from link.shared.service import serving
from tests.link.influxdb_server import READER
from tests.link.processes import HOSTS
from tests.waiting import free_port


@contextlib.asynccontextmanager
async def started(url: str, user: tuple[str, str] = READER, stack: str = "lab") -> AsyncIterator[str]:
    """A usage API of the stack that asks the InfluxDB at `url` as this user; its own URL."""
    address = next(HOSTS)
    port = free_port(address)
    async with serving(usage_api.application(Access(url, "linkusage", *user), stack), address, port):
        yield f"http://{address}:{port}"
