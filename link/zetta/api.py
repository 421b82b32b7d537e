"""The HTTP API of a target: Zetta's root, server and devices as Siren, and WebSockets for hubs and events."""

import asyncio
import json
import time

from aiohttp import WSMsgType, web

from link.shared.service import SOCKETS, STOP
from link.shared.sockets import Socket
from link.zetta.devices import Device, device_entity, mock_devices, root_entity, server_entity
from link.zetta.registration import Registration
from link.zetta.samples import Connection

HEARTBEAT = 10.0
EVENTS_EVERY = 1.0


class ZettaApi:
    """What one target answers. `connections` are the WebSockets that are open now."""

    def __init__(self, url: str, server: str, version: str, registration: Registration) -> None:
        self.devices = mock_devices()
        self.connections: set[Connection] = set()
        self._url = url
        self._server = server
        self._version = version
        self._registration = registration

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
        return await self._read_to_end(request, socket, connection, streaming)

    async def peer(self, request: web.Request) -> web.WebSocketResponse:
        """Keep a hub's WebSocket until it leaves."""
        socket, connection = await self._open(request)
        return await self._read_to_end(request, socket, connection, None)

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

    async def _read_to_end(
        self,
        request: web.Request,
        socket: Socket,
        connection: Connection,
        streaming: asyncio.Task[None] | None,
    ) -> web.WebSocketResponse:
        try:
            async for message in socket:
                if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                    connection.read += len(message.data)
        finally:
            if streaming is not None:
                streaming.cancel()
                await asyncio.gather(streaming, return_exceptions=True)
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
