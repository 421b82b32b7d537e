"""Queues and conditional writes that many processes may use at once.

moto answers every request from a thread of its own, but takes no lock: two receivers can get the same message, a
deleted one can come back, two writers can both be the one that creates an object. It also goes through all messages
with each call. Here a call is one step, and takes as long with 100,000 messages as with ten.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain
from typing import Any

from moto.s3.responses import S3Response
from moto.sqs.exceptions import InvalidParameterValue, ReceiptHandleIsInvalid
from moto.sqs.models import Message, Queue, SQSBackend

POLL_EVERY = 0.05
LONGEST_HIDDEN = 12 * 3600
_one_at_a_time = threading.RLock()


class Shelf:
    """The messages of a queue, stands in for moto's list of them.

    Those nobody received yet come first: they are visible, and need not be looked at to be counted. Messages that are
    delayed, or have a place in a FIFO queue, are among the others from the beginning.
    """

    def __init__(self, messages: Iterable[Message] = ()) -> None:
        self._new: OrderedDict[str, Message] = OrderedDict()
        self._others: OrderedDict[str, Message] = OrderedDict()
        self._ids: dict[str, str] = {}
        for message in messages:
            self.append(message)

    def __iter__(self) -> Iterator[Message]:
        """Go through a copy: others may change the shelf meanwhile."""
        with _one_at_a_time:
            return iter(list(self.in_order()))

    def in_order(self) -> Iterator[Message]:
        """Go through the messages themselves."""
        return chain(self._new.values(), self._others.values())

    def append(self, message: Message) -> None:
        """Put a new message at the end."""
        with _one_at_a_time:
            (self._others if message.delayed or message.group_id else self._new)[message.id] = message

    def remove(self, message: Message) -> None:
        """Take a message away for good."""
        with _one_at_a_time:
            self._new.pop(message.id, None)
            self._others.pop(message.id, None)

    def received(self, message: Message, stays_in_order: bool) -> None:
        """Know a message by its new receipt handle. Unless order matters it goes behind those nobody received yet."""
        self._ids[str(message.receipt_handle)] = message.id
        if not stays_in_order:
            group = self._new if message.id in self._new else self._others
            self._others[message.id] = group.pop(message.id)

    def find(self, handle: str) -> Message | None:
        """Return the message that was received with this handle, if it is still there."""
        id_ = self._ids.get(handle, "")
        return self._new.get(id_) or self._others.get(id_)

    def count(self, counts: Callable[[Message], bool], new_count: bool) -> int:
        """How many messages count; `new_count` is whether those do that nobody received."""
        with _one_at_a_time:
            return len(self._new) * new_count + sum(map(counts, self._others.values()))


class Visible:
    """The messages that can be received now, looked for only as far as somebody reads."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def __iter__(self) -> Iterator[Message]:
        """Go through them in the order of the shelf."""
        return filter(_is_visible, self._shelf.in_order())

    def __len__(self) -> int:
        """Count them all."""
        return self._shelf.count(_is_visible, new_count=True)


def _is_visible(message: Message) -> bool:
    return message.visible and not message.delayed


COUNTED: dict[str, Callable[[Message], bool]] = {
    "approximate_number_of_messages_delayed": lambda message: message.delayed,
    "approximate_number_of_messages_not_visible": lambda message: not message.visible,
}


def make_atomic() -> None:
    """Have every call to a queue, and every write to a bucket, be one step; again changes nothing."""
    if isinstance(vars(Queue).get("_messages"), property):
        return
    _keep_on_shelves()
    SQSBackend.receive_message = _receive(SQSBackend.receive_message)  # type: ignore[method-assign]
    setattr(SQSBackend, "change_message_visibility", _change_visibility)  # noqa: B010  mypy takes it for a bound method
    setattr(Queue, "delete_message", _delete)  # noqa: B010
    for name in ("put_object", "head_object"):
        setattr(S3Response, name, _locked(getattr(S3Response, name)))


def _keep_on_shelves() -> None:
    def put(queue: Queue, messages: list[Message]) -> None:
        queue.__dict__["shelf"] = Shelf(messages)

    Queue._messages = property(lambda queue: queue.__dict__["shelf"], put)  # type: ignore[assignment]
    for name, counts in COUNTED.items():
        setattr(Queue, name, property(partial(_count, counts)))
    Queue.messages = property(lambda queue: Visible(queue._messages))  # type: ignore[assignment,method-assign]


def _count(counts: Callable[[Message], bool], queue: Queue) -> int:
    shelf: Any = queue._messages
    number: int = shelf.count(counts, new_count=False)
    return number


def _locked(method: Callable[..., Any]) -> Callable[..., Any]:
    def locked(*arguments: Any, **named: Any) -> Any:
        with _one_at_a_time:
            return method(*arguments, **named)

    return locked


def _receive(of_moto: Callable[..., list[Message]]) -> Callable[..., list[Message]]:
    """A long poll asks again and again: others must get at the queue while it waits."""

    def receive(
        backend: SQSBackend, queue_name: str, count: int, wait_seconds_timeout: int, *arguments: Any, **named: Any
    ) -> list[Message]:
        end = time.monotonic() + wait_seconds_timeout
        while True:
            with _one_at_a_time:
                found = of_moto(backend, queue_name, count, 0, *arguments, **named)
                queue = backend.get_queue(queue_name)
                shelf: Any = queue._messages
                for message in found:
                    shelf.received(message, stays_in_order=queue.fifo_queue)
            if found or time.monotonic() >= end:
                return found
            threading.Event().wait(POLL_EVERY)

    return receive


def _change_visibility(backend: SQSBackend, queue_name: str, receipt_handle: str, visibility_timeout: int) -> None:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html"""
    with _one_at_a_time:
        queue = backend.get_queue(queue_name)
        message, seconds = _find(queue, receipt_handle), int(visibility_timeout)
        if time.time() + seconds - int(message.sent_timestamp or 0) / 1000 > LONGEST_HIDDEN:
            raise InvalidParameterValue(f"the message would be hidden for more than {LONGEST_HIDDEN} seconds in all")
        message.change_visibility(seconds)
        if not seconds:
            queue.pending_messages.discard(message)


def _delete(queue: Queue, receipt_handle: str) -> None:
    with _one_at_a_time:
        if receipt_handle in queue.deleted_messages:
            return
        message = _find(queue, receipt_handle)
        queue._messages.remove(message)
        queue.pending_messages.discard(message)
        queue.deleted_messages.update(str(handle) for handle in message.all_receipt_handles)


def _find(queue: Queue, receipt_handle: str) -> Message:
    shelf: Any = queue._messages
    message: Message | None = shelf.find(receipt_handle)
    if message is None:
        raise ReceiptHandleIsInvalid
    return message
