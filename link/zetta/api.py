"""The HTTP API of a target: Zetta's root, server and devices as Siren, and WebSockets for hubs and events."""

import asyncio
import json
import time
from collections.abc import Callable

from aiohttp import WSCloseCode, WSMsgType, web

from link.shared.service import SOCKETS, STOP
from link.shared.sockets import Socket
from link.zetta.devices import Device, device_entity, mock_devices, root_entity, server_entity
from link.zetta.registration import Registration
from link.zetta.samples import Connection
from link.zetta.usage import Usage

HEARTBEAT = 15.0  # of the WebSocket itself: finds out who is gone, and is not needed by hubs that answer their pings
EVENTS_EVERY = 1.0


class ZettaApi:
    """What one target answers. `connections` are the WebSockets that are open now."""

    def __init__(
        self, url: str, server: str, version: str, registration: Registration, usage: Usage, ping_interval: float
    ) -> None:
        self.devices = mock_devices()
        self.connections: set[Connection] = set()
        self._url = url
        self._server = server
        self._version = version
        self._registration = registration
        self._usage = usage
        self._ping_interval = ping_interval

    async def root(self, request: web.Request) -> web.Response:
        """Who answers, and where its server is."""
        properties = {
            "name": self._server,
            "url": self._url,
            "version": self._version,
            "tenantId": self._registration.tenant,
        }
        return web.json_response(root_entity(_base(request), self._server, properties))

    async def server(self, request: web.Request) -> web.Response:
        """The server with all devices."""
        self._check_server(request)
        return web.json_response(server_entity(_base(request), self._server, self.devices, time.time()))

    async def device(self, request: web.Request) -> web.Response:
        """One device."""
        return self._device_response(request, self._find_device(request))

    async def act(self, request: web.Request) -> web.Response:
        """Perform the form's `action` on a device."""
        device = self._find_device(request)
        action = str((await request.post()).get("action", ""))
        if not device.perform(action):
            error = f"device {device.id} is {device.state}: its action is {device.action}, not {action!r}"
            return web.json_response({"error": error}, status=400)
        return self._device_response(request, device)

    async def health(self, _request: web.Request) -> web.Response:
        """200 for as long as this process answers."""
        return web.json_response({"status": "ok", "registered": self._registration.registered})

    async def restart(self, request: web.Request) -> web.Response:
        """Leave the registry, then stop; whoever supervises the process starts it again, free."""
        await self._registration.withdraw()
        request.app[STOP].set()
        return web.Response(status=204)

    async def events(self, request: web.Request) -> web.WebSocketResponse:
        """Stream every device's readings until the client leaves."""
        socket, connection = await self._open(request)
        streaming = asyncio.create_task(self._stream(socket, connection))
        return await self._read_to_end(request, socket, connection, streaming, heard=lambda _: None)

    async def peer(self, request: web.Request) -> web.WebSocketResponse:
        """Keep a hub's WebSocket until it leaves."""
        socket, connection = await self._open(request)
        self._usage.count(request, "link.targets.hub.connected")

        def heard(size: int) -> None:
            self._usage.count(request, "linkusage.hub.messages.count")
            self._usage.count(request, "linkusage.hub.messages.bytes", size)

        pinging = asyncio.create_task(self._ping(request, socket))
        try:
            return await self._read_to_end(request, socket, connection, pinging, heard)
        finally:
            lost = socket.close_code in (None, WSCloseCode.ABNORMAL_CLOSURE)
            self._usage.count(request, f"link.targets.hub.{'error' if lost else 'end'}")

    async def _open(self, request: web.Request) -> tuple[Socket, Connection]:
        socket = Socket(HEARTBEAT)
        await socket.prepare(request)
        connection = Connection()
        request.app[SOCKETS].add(socket)
        self.connections.add(connection)
        return socket, connection

    async def _stream(self, socket: Socket, connection: Connection) -> None:
        while True:
            now = time.time()
            for device in self.devices:
                event = {"topic": device.topic, "timestamp": round(now * 1000), "data": device.reading(now)}
                text = json.dumps(event)
                await socket.send_str(text)
                connection.written += len(text)
            await asyncio.sleep(EVENTS_EVERY)

    async def _ping(self, request: web.Request, socket: Socket) -> None:
        while True:
            await asyncio.sleep(self._ping_interval)
            await socket.ping()
            self._usage.count(request, "linkusage.hub.spdypings.count")

    async def _read_to_end(
        self,
        request: web.Request,
        socket: Socket,
        connection: Connection,
        writing: asyncio.Task[None],
        heard: Callable[[int], None],
    ) -> web.WebSocketResponse:
        try:
            async for message in socket:
                if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                    connection.read += len(message.data)
                    heard(len(message.data))
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
            request.app[SOCKETS].discard(socket)
            self.connections.discard(connection)
        return socket

    def _check_server(self, request: web.Request) -> None:
        name = request.match_info["server"]
        if name != self._server:
            raise _not_found(f"there is no server {name} here, only {self._server}")

    def _find_device(self, request: web.Request) -> Device:
        self._check_server(request)
        name = request.match_info["device"]
        for device in self.devices:
            if device.id == name:
                return device
        raise _not_found(f"there is no device {name} on {self._server}")

    def _device_response(self, request: web.Request, device: Device) -> web.Response:
        return web.json_response(device_entity(_base(request), self._server, device, time.time()))


def _base(request: web.Request) -> str:
    return f"{request.scheme}://{request.host}"


def _not_found(message: str) -> web.HTTPNotFound:
    return web.HTTPNotFound(text=json.dumps({"error": message}), content_type="application/json")
