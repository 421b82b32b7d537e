"""A server's WebSocket that leaves in good order."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from aiohttp import WSCloseCode, WSMsgType, web

GOODBYE_TIMEOUT = 3.0
LARGEST_MESSAGE = 2**24

BeforeLeaving = Callable[[], Awaitable[None]]


class Socket(web.WebSocketResponse):
    """A WebSocket that can be told to go away between two messages.

    `before_leaving` is awaited once before the other side is told to go: what would be in its way when it comes back
    must be gone by then.
    """

    def __init__(
        self, heartbeat: float, protocols: tuple[str, ...] = (), before_leaving: BeforeLeaving | None = None
    ) -> None:
        super().__init__(
            heartbeat=heartbeat, protocols=protocols, max_msg_size=LARGEST_MESSAGE, timeout=GOODBYE_TIMEOUT
        )
        self.leaving = False
        self._before_leaving = before_leaving
        self._said_goodbye = False
        self._sending = asyncio.Lock()
        self._ended = asyncio.Event()

    async def go_away(self, code: int = WSCloseCode.GOING_AWAY) -> None:
        """Send the close frame after the message that is being sent, and return when the connection has ended.

        Until the other side answers with its own close frame, whoever reads the socket still gets the messages that
        were on their way. https://www.rfc-editor.org/rfc/rfc6455#section-7.1.2  One that does not answer within
        `GOODBYE_TIMEOUT` seconds is cut off. Twice is fine.
        """
        try:
            async with asyncio.timeout(GOODBYE_TIMEOUT):
                if not self.leaving:
                    self.leaving = True
                    await self._say_goodbye(code)
                await self._ended.wait()
        except TimeoutError:
            await self.close(code=code)

    async def send_str(self, data: str, compress: int | None = None) -> None:
        """Send a text message; after the goodbye it goes nowhere, like any message to one who has left."""
        async with self._sending:
            if not self._said_goodbye:
                await super().send_str(data, compress)

    async def send_bytes(self, data: bytes, compress: int | None = None) -> None:
        """Send a binary message; after the goodbye it goes nowhere."""
        async with self._sending:
            if not self._said_goodbye:
                await super().send_bytes(data, compress)

    async def close(self, *, code: int = WSCloseCode.OK, message: bytes = b"", drain: bool = True) -> bool:
        """End the connection now; aiohttp calls this as well, however the connection ends."""
        try:
            return await super().close(code=code, message=message, drain=drain)
        finally:
            self._ended.set()

    async def _say_goodbye(self, code: int) -> None:
        if self._before_leaving is not None:
            await self._before_leaving()
        async with self._sending:
            self._said_goodbye = True
            with contextlib.suppress(ConnectionError):
                await self.send_frame(code.to_bytes(2, "big"), WSMsgType.CLOSE)
