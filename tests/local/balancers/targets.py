"""A web server to stand behind a load balancer: `python -m tests.local.balancers.targets <address> <port> <name>`.

/health is the health check; /echo answers with the request it got, /held when it is told to, /broken not at all,
/answer/<status> with that status, /bytes/<count> with so many bytes; /ws is a WebSocket that echoes messages;
all else answers with the name.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

from aiohttp import WSMsgType, web

from tests.waiting import eventually


class TargetServer:
    """One target: its name, where it listens, and what happened to it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.health = 200
        self.started = asyncio.Event()
        self.finish = asyncio.Event()
        self.sockets: list[asyncio.Transport] = []
        self.closed_with: int | None = None
        self.clients: dict[str, str] = {}
        """The address that asked last, by path."""
        self.address = ""
        self.port = 0

    def application(self) -> web.Application:
        application = web.Application(client_max_size=0)
        application.on_response_prepare.append(self._remember_client)
        application.router.add_get("/health", self._health)
        application.router.add_route("*", "/held", self._held)
        application.router.add_get("/broken", self._broken)
        application.router.add_get("/ws", self._websocket)
        application.router.add_get("/answer/{status}", self._answer)
        application.router.add_get("/bytes/{count}", self._bytes)
        application.router.add_route("*", "/echo", self._echo)
        application.router.add_route("*", "/{anything:.*}", self._name)
        return application

    async def _remember_client(self, request: web.Request, _: web.StreamResponse) -> None:
        self.clients[request.path] = request.remote or ""

    async def _health(self, _: web.Request) -> web.Response:
        return web.Response(status=self.health)

    async def _name(self, _: web.Request) -> web.Response:
        return web.Response(text=self.name)

    async def _held(self, _: web.Request) -> web.Response:
        """Answers when `finish` is set."""
        self.started.set()
        await self.finish.wait()
        return web.Response(text=self.name)

    async def _broken(self, request: web.Request) -> web.Response:
        """Closes the connection instead of answering."""
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

    async def _answer(self, request: web.Request) -> web.Response:
        """Answers with a status, after `?after=` seconds."""
        await asyncio.sleep(float(request.query.get("after", 0)))
        return web.Response(status=int(request.match_info["status"]))

    async def _bytes(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(int(request.match_info["count"]) // 65536):
            await response.write(b"x" * 65536)
        return response

    async def _echo(self, request: web.Request) -> web.Response:
        received = sum([len(chunk) async for chunk in request.content.iter_any()])
        seen = {
            "target": self.name,
            "method": request.method,
            "path": request.raw_path,
            "headers": [[name, value] for name, value in request.headers.items()],
            "received": received,
        }
        return web.json_response(seen, headers={"X-Target": self.name})

    async def _websocket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=["zetta"])
        await socket.prepare(request)
        if request.transport is not None:
            self.sockets.append(request.transport)
        async for message in socket:
            if message.type is WSMsgType.TEXT and message.data == "goodbye":
                await socket.close(code=4001)
            elif message.type is WSMsgType.TEXT:
                await socket.send_str(f"{self.name}: {message.data}")
            elif message.type is WSMsgType.BINARY:
                await socket.send_bytes(message.data)
        self.closed_with = socket.close_code
        return socket


@asynccontextmanager
async def serving(name: str, address: str, port: int = 0) -> AsyncIterator[TargetServer]:
    """A target server in this event loop."""
    target = TargetServer(name)
    runner = web.AppRunner(target.application(), shutdown_timeout=0.01)
    await runner.setup()
    await web.TCPSite(runner, address, port).start()
    target.address, target.port = runner.addresses[0][:2]
    try:
        yield target
    finally:
        await runner.cleanup()


@contextmanager
def target_process(name: str, address: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A target server in a process of its own, which listens already."""
    command = [sys.executable, "-m", "tests.local.balancers.targets", address, str(port), name]
    process = subprocess.Popen(command)
    try:
        eventually(f"{name} listens", lambda: _listens(address, port), 60)
        yield process
    finally:
        process.kill()
        process.wait()


def _listens(address: str, port: int) -> bool:
    with suppress(OSError), socket.create_connection((address, port), timeout=1):
        return True
    return False


async def _serve_for_ever(name: str, address: str, port: int) -> None:
    async with serving(name, address, port):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve_for_ever(sys.argv[3], sys.argv[1], int(sys.argv[2])))
