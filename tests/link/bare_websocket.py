"""A WebSocket client down at its frames, for what a library does not let one do: stop in the middle of a message, or
break the connection off."""

import asyncio
from urllib.parse import urlsplit

# https://www.rfc-editor.org/rfc/rfc6455#section-5.2: FIN + opcode, mask bit + length; this client's mask is zero
BINARY, CLOSE = 0x82, 0x88
MASK = bytes(4)


class BareWebSocket:
    """An open WebSocket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._rest = b""

    @classmethod
    async def connect(cls, url: str, path: str, *headers: str) -> "BareWebSocket":
        """Connect to `path` of the server at this URL; `headers` are whole lines."""
        host, port = urlsplit(url).hostname, urlsplit(url).port
        reader, writer = await asyncio.open_connection(host, port)
        lines = (f"GET {path} HTTP/1.1", f"Host: {host}", "Upgrade: websocket", "Connection: Upgrade")
        key = ("Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "", "")
        writer.write("\r\n".join(lines + headers + key).encode())
        assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
        return cls(reader, writer)

    async def send_half(self, message: bytes) -> None:
        """Send the first half of a binary message."""
        frame = bytes([BINARY, 0x80 | 127]) + len(message).to_bytes(8, "big") + MASK + message
        self._rest = frame[len(frame) // 2 :]
        self._writer.write(frame[: len(frame) // 2])
        await self._writer.drain()

    async def send_other_half(self) -> None:
        """Send the rest of the message."""
        self._writer.write(self._rest)
        await self._writer.drain()

    async def begin_message(self) -> int:
        """Read the beginning of a large binary message and return how many bytes follow."""
        header = await asyncio.wait_for(self._reader.readexactly(10), 3)
        assert header[:2] == bytes([BINARY, 127])
        return int.from_bytes(header[2:], "big")

    async def end_message(self, length: int) -> bytes:
        """Read the rest of the message."""
        return await asyncio.wait_for(self._reader.readexactly(length), 3)

    async def read_close_code(self) -> int:
        """Read a close frame, which must be next, and return its code."""
        opcode, length = await asyncio.wait_for(self._reader.readexactly(2), 3)
        assert (opcode, length) == (CLOSE, 2)
        return int.from_bytes(await self._reader.readexactly(2), "big")

    async def close(self) -> None:
        """Answer with a close frame and end the connection."""
        self._writer.write(bytes([CLOSE, 0x80]) + MASK)
        await self._writer.drain()
        self._writer.close()

    def break_off(self) -> None:
        """End the connection without a word."""
        self._writer.transport.abort()
