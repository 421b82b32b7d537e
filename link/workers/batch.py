"""The messages a worker has in hand, hidden from all others."""

import logging
import time
from collections.abc import Collection

from link.workers.queue import AT_ONCE, Message, Queue
from link.workers.readings import Reading, Unparseable, parse

AHEAD = 300_000  # milliseconds a target's clock may be ahead of SQS, by what AWS itself allows a client

logger = logging.getLogger(__name__)


class Batch:
    """Messages received one after the other, their readings, and until when they are certainly hidden from others.

    The moment is told by our own clock from before they were received: we are never too optimistic.
    """

    def __init__(self, queue: Queue, kind: str) -> None:
        self.readings: dict[str, list[Reading]] = {}
        self.received_again: set[str] = set()
        self.unparseable: list[tuple[Message, str]] = []
        self.ahead = 0
        self.size = 0
        self.oldest = time.time() * 1000
        """When the message was sent that waited longest: milliseconds since 1970; now, as long as there is none."""
        self.began = time.monotonic()
        self.was_ours_throughout = True
        self._queue = queue
        self._kind = kind
        self._handles: dict[str, str] = {}
        self._hidden_until = self.began + queue.visibility

    def __len__(self) -> int:
        return len(self._handles)

    def add(self, message: Message) -> None:
        """Take a message in hand; a second copy of one that is counts once."""
        is_copy = message.id in self._handles
        self._handles[message.id] = message.handle
        if is_copy:
            return
        self.size += len(message.body)
        self.oldest = min(self.oldest, message.sent)
        try:
            readings = parse(self._kind, message.body)
        except Unparseable as error:
            self.unparseable.append((message, str(error)))
            return
        self.readings[message.id] = readings
        if message.again:
            self.received_again.add(message.id)
        self._look_at_clocks(message, readings)

    def keep(self) -> None:
        """Hide the messages for longer when half of the time is over; to be called while working on them."""
        now = time.monotonic()
        if not self.was_ours_throughout or self._hidden_until - now > self._queue.visibility / 2:
            return
        kept = now < self._hidden_until and self._queue.show_again_in(self._queue.visibility, self._handles)
        self.was_ours_throughout = kept and time.monotonic() < self._hidden_until
        self._hidden_until = now + self._queue.visibility

    def delete(self, messages: Collection[str]) -> None:
        """Delete these messages from the queue; their readings are dropped."""
        todo = list(messages)
        for first in range(0, len(todo), AT_ONCE):
            self.keep()
            ten = {message: self._handles.pop(message) for message in todo[first : first + AT_ONCE]}
            deleted = self._queue.delete(ten)
            self.was_ours_throughout &= deleted and time.monotonic() < self._hidden_until
        self.drop(messages)

    def drop(self, messages: Collection[str]) -> None:
        """Do nothing more about these messages; unless they are deleted, they come back to whoever is there."""
        for message in messages:
            self.readings.pop(message, None)
            self._handles.pop(message, None)

    def _look_at_clocks(self, message: Message, readings: list[Reading]) -> None:
        ahead = {reading.tenant for reading in readings if reading.when > message.sent + AHEAD}
        if ahead:
            self.ahead += 1
            fields = {"messageId": message.id, "tenants": sorted(ahead)}
            logger.warning("readings are stamped later than their message was sent", extra={"fields": fields})
