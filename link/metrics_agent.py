"""Writes what the services of this machine tell statsd, and what the machine itself does, into the metrics' InfluxDB.

Runs on every machine. Where InfluxDB is, and as whom to write, is in the secret tyrell/ZETTA_STACK/metrics; as long as
there is none it is looked for every INTERVAL. What can not be written waits: see `link.metrics.outbox`.

Settings: COREOS_PRIVATE_IPV4, ZETTA_STACK, ZETTA_VERSION, LINK_INSTANCE_TYPE, AWS_REGION (us-east-1),
STATSD_HOST (port 8125 of this machine), INTERVAL of points (10 s).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import time

from link.metrics.listener import Listener
from link.metrics.machine import read_machine
from link.metrics.outbox import Outbox
from link.metrics.sender import Sender
from link.metrics.sums import Sums
from link.shared.access import Secret
from link.shared.environment import Environment
from link.shared.process import run_program, set_on_signals
from link.shared.statsd import agent_address

GOODBYE_TIMEOUT = 8.0

logger = logging.getLogger(__name__)


class Agent:
    """Makes points every interval and has them sent; a write that takes long delays nothing else."""

    def __init__(self, environment: Environment) -> None:
        self.sums = Sums()
        self._interval = environment.number("INTERVAL", 10, 1, 3600)  # times of points are whole seconds
        self._tags = _tags(environment)
        self._outbox = Outbox()
        self._sender = Sender(Secret(environment, "metrics"), self._outbox)
        self._time = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; then send what there is, as far as that is soon done."""
        read_machine()
        sending = asyncio.create_task(self._sender.send())
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._interval):
                    await stop.wait()
            self._make_points()
            if sending.done():
                sending.result()
                sending = asyncio.create_task(self._sender.send())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_TIMEOUT):
                await sending
                await self._sender.send()

    def _make_points(self) -> None:
        """No two points of a series have the same time, or the second would replace the first."""
        self._time = max(self._time + 1, int(time.time()))
        points = self.sums.take() + read_machine()
        self._outbox.add([point.line(self._tags, self._time) for point in points])


def _tags(environment: Environment) -> dict[str, str]:
    """The tags of every point, as the original machines have them."""
    stack, version, kind = map(environment.text, ("ZETTA_STACK", "ZETTA_VERSION", "LINK_INSTANCE_TYPE"))
    return {
        "host": socket.gethostname(),
        "link_stack": stack,
        "link_version": version,
        "link_type": kind,
        "link_instance_name": f"{stack}-{kind}-{version}-{environment.address()}",
    }


async def run(environment: Environment) -> None:
    """Listen and write until told to stop."""
    agent, (address, port) = Agent(environment), agent_address(environment)
    stop = asyncio.Event()
    set_on_signals(stop)
    with Listener(agent.sums).listening((address, port)):
        logger.info("started", extra={"fields": {"address": address, "port": port}})
        await agent.run(stop)


if __name__ == "__main__":
    run_program("metrics-agent", run)
