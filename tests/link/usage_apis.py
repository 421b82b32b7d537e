"""Usage APIs of the tests' own."""

import contextlib
from collections.abc import AsyncIterator

from link import usage_api
from link.shared.environment import Environment
from link.shared.service import serving
from tests.link.influxdb_server import READER
from tests.link.processes import HOSTS
from tests.waiting import free_port


def settings(url: str, user: tuple[str, str] = READER, stack: str = "lab") -> dict[str, str]:
    """The environment of a usage API."""
    credentials = {"INFLUXDB_HOST": url, "INFLUXDB_USERNAME": user[0], "INFLUXDB_PASSWORD": user[1]}
    return {"COREOS_PRIVATE_IPV4": next(HOSTS), "ZETTA_STACK": stack} | credentials


@contextlib.asynccontextmanager
async def started(variables: dict[str, str]) -> AsyncIterator[str]:
    """A usage API with these settings; its URL."""
    address, port = variables["COREOS_PRIVATE_IPV4"], free_port(variables["COREOS_PRIVATE_IPV4"])
    async with serving(usage_api.build(Environment(variables)), address, port):
        yield f"http://{address}:{port}"
