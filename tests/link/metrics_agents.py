"""A real metrics agent for the tests, of stack `lab`, and the secret that tells it where to write."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

from tests.link.aws_server import Aws
from tests.link.influxdb_server import WRITER, InfluxServer
from tests.link.processes import HOSTS, service_process
from tests.link.waiting import eventually
from tests.waiting import free_port

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient


def keep_secret(
    secrets: SecretsManagerClient, url: str, name: str = "tyrell/lab/metrics", user: tuple[str, str] = WRITER
) -> None:
    """Put the way into the InfluxDB at `url` into the secret of that name, whether it is there or not."""
    database = "linkusage" if name.endswith("usage") else "telegraf"
    text = json.dumps({"url": url, "database": database, "username": user[0], "password": user[1]})
    try:
        secrets.create_secret(Name=name, SecretString=text)
    except secrets.exceptions.ResourceExistsException:
        secrets.put_secret_value(SecretId=name, SecretString=text)


class MetricsAgent:
    """An agent that listens at `address` (IP:port); what it logs is in a file."""

    def __init__(self, address: str, log: Path, process: asyncio.subprocess.Process) -> None:
        self.address = address
        self.process = process
        self._log = log
        host, _, port = address.rpartition(":")
        self.listens = (host, int(port))

    def tell(self, datagram: bytes | str) -> None:
        """Send it a datagram."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(datagram.encode() if isinstance(datagram, str) else datagram, self.listens)

    @property
    def said(self) -> list[str]:
        """The messages of its log, of which none may hold a password."""
        text = self._log.read_text()
        assert WRITER[1] not in text
        return [json.loads(line)["message"] for line in text.splitlines()]

    async def says(self, beginning: str) -> str:
        """Wait for a message that begins like this and return it."""

        async def look() -> list[str]:
            return [message for message in self.said if message.startswith(beginning)]

        return (await eventually(f"the agent says {beginning}...", look))[0]


def variables(aws: Aws, stack: str, address: str, **settings: str) -> dict[str, str]:
    """The environment of an agent of that stack that listens at `address` (IP:port) and makes points every second."""
    machine = {"COREOS_PRIVATE_IPV4": address.partition(":")[0], "LINK_INSTANCE_TYPE": "router", "ZETTA_VERSION": "v1"}
    return aws.variables | machine | {"ZETTA_STACK": stack, "STATSD_HOST": address, "INTERVAL": "1"} | settings


@contextlib.asynccontextmanager
async def metrics_agent(aws: Aws, folder: Path, stack: str = "lab", **settings: str) -> AsyncIterator[MetricsAgent]:
    """Run an agent."""
    host, log = next(HOSTS), folder / "metrics-agent.log"
    address = f"{host}:{free_port(host)}"
    async with service_process("link.metrics_agent", variables(aws, stack, address, **settings), output=log) as process:
        agent = MetricsAgent(address, log, process)
        await agent.says("started")
        yield agent


async def await_total(server: InfluxServer, name: str, stack: str, wanted: int) -> None:
    """Wait until the points of that name and stack in the database `telegraf` add up to as many as wanted."""

    async def is_as_wanted() -> bool:
        found = server.ask(f"SELECT sum(value) FROM {name} WHERE link_stack = '{stack}'", "telegraf")
        return found != [] and found[0][-1] == wanted

    await eventually(f"{name} to add up to {wanted}", is_as_wanted)
