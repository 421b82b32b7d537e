"""Device data and usage of a tenant's target, written to SQS once per window.

Shapes: a device message is a JSON array of readings, a usage message one JSON object per connection.
"""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from aiohttp import web

from link.shared.service import supervise
from link.zetta.devices import Device

TENANT_HEADER = "x-apigee-iot-tenant-id"
LARGEST_MESSAGE = (
    256 * 1024
)  # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
READINGS_EVERY = 1.0
SEND_TIMEOUT = 3.0

logger = logging.getLogger(__name__)


@dataclass(eq=False)
class Connection:
    """A WebSocket to the target, and how much went through it since the last sample."""

    id: str = field(default_factory=lambda: str(uuid4()))
    written: int = 0
    read: int = 0
    connected: bool = True

    def sample(self, server: str, tenant: str, now: float) -> dict[str, Any]:
        """Return the usage since the last sample and begin a new one."""
        usage = {
            "name": server,
            "connectionId": self.id,
            "headers": {TENANT_HEADER: tenant},
            "bytesWritten": self.written,
            "bytesRead": self.read,
            "active": self.written + self.read > 0,
            "connected": self.connected,
            "upload": round(now * 1000),
        }
        self.written = self.read = 0
        return usage


def device_event(server: str, device: Device, tenant: str, now: float) -> dict[str, Any]:
    """Return one reading of a device as it goes into the device data queue."""
    tags = {
        "hub": server,
        "device": device.id,
        "deviceType": device.type,
        "stream": device.stream,
        f"req-header-{TENANT_HEADER}": tenant,
    }
    name = f"devicedata.{device.type}.{device.stream}"
    return {"name": name, "timestamp": round(now * 1000), "value": device.reading(now), "tags": tags}


def messages(events: Iterable[dict[str, Any]], largest: int = LARGEST_MESSAGE) -> Iterator[str]:
    """Yield the events as JSON arrays of at most `largest` bytes each. (One event is always far smaller.)"""
    batch: list[str] = []
    size = 2
    for text in (json.dumps(event) for event in events):
        if batch and size + len(text) + 1 > largest:
            yield f"[{','.join(batch)}]"
            batch, size = [], 2
        batch.append(text)
        size += len(text) + 1
    if batch:
        yield f"[{','.join(batch)}]"


class Queue:
    """An SQS queue, or none (empty URL). Failing to send is logged once per change and never raised."""

    def __init__(self, url: str, region: str) -> None:
        self._url = url
        self._region = region
        self._client: Any = None
        self._works = True

    async def send(self, body: str) -> None:
        """Send one message in a thread of its own."""
        if not self._url:
            return
        try:
            await asyncio.to_thread(self._send, body)
        except Exception as error:  # boto3 raises a class of its own for nearly everything
            if self._works:
                logger.warning("can not write to the queue: %s", error, extra={"fields": {"queue": self._url}})
            self._works = False
            return
        if not self._works:
            logger.info("the queue takes messages again", extra={"fields": {"queue": self._url}})
        self._works = True

    def _send(self, body: str) -> None:
        if self._client is None:
            # A free target never needs boto3, which would more than double its memory.
            import boto3  # noqa: PLC0415
            from botocore.config import Config  # noqa: PLC0415

            config = Config(connect_timeout=SEND_TIMEOUT, read_timeout=SEND_TIMEOUT, retries={"max_attempts": 1})
            self._client = boto3.session.Session().client("sqs", region_name=self._region, config=config)
        self._client.send_message(QueueUrl=self._url, MessageBody=body)


@dataclass
class Sampler:
    """Writes a target's device data and usage, one window of `interval` seconds after the other."""

    server: str
    devices: list[Device]
    connections: set[Connection]
    tenant: Callable[[], str | None]
    device_queue: Queue
    usage_queue: Queue
    interval: float

    async def running(self, app: web.Application) -> AsyncIterator[None]:
        """Sample for as long as the application runs; nothing is written while the target is free."""
        sampling = supervise(app, self._run())
        yield
        sampling.cancel()

    async def _run(self) -> None:
        while True:
            events = await self._window()
            for message in messages(events):
                await self.device_queue.send(message)
            tenant = self.tenant()
            for connection in list(self.connections) if tenant else []:
                await self.usage_queue.send(json.dumps(connection.sample(self.server, tenant or "", time.time())))

    async def _window(self) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = []
        end = time.monotonic() + self.interval
        while (left := end - time.monotonic()) > 0:
            await asyncio.sleep(min(READINGS_EVERY, left))
            tenant = self.tenant()
            if tenant:
                events += [device_event(self.server, device, tenant, time.time()) for device in self.devices]
        return events
