"""Who writes which message: claims, kept beside the data, that make every message part of exactly one object.

A claim is an object with a batch's message ids and its finished parcels. Each worker numbers its own claims; a number
is used once, because S3 creates an object only where there is none. A worker claims a batch before it writes the first
parcel, and receives nothing for the next batch before this one is claimed.

Who receives a message *again* first looks for it in all claims. If it is there, he writes that claim's parcels (same
names, same bytes, created once) and deletes the message. If it is not, whoever received it before could still claim it:
that was one visibility timeout ago, his last claim is older, so his next number is taken from him with an empty claim.
His own attempt then fails, and he drops his batch, which comes back to whoever is there. When his claim was first, the
search begins anew and finds the message. So of all who ever hold a message only one claims it, wherever they are killed
or stopped, and for how long. No clock is compared with another, only S3's with itself.

A claim goes when its messages are deleted and nobody else can have received them meanwhile: the deletes succeeded
before the visibility timeout was over. Otherwise it stays for as long as the queue could keep its messages.

What SQS leaves open: a standard queue may, rarely, deliver a message that is hidden or already deleted, or count its
receipts wrong; such a copy can be written twice. And a queue with dead letters moves a message there that was received
too often, even if its object is written. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/
SQSDeveloperGuide/standard-queues-at-least-once-delivery.html
"""

import io
import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict
from uuid import uuid4

from link.workers.bucket import Bucket, Entry
from link.workers.parcels import Label, Parcel

DAY = 86400.0


class Fenced(Exception):
    """Others had reason to think that this worker was gone; its batch is theirs."""


class Claims:
    """The claims of one queue's workers, ours among them."""

    def __init__(self, bucket: Bucket, queue: str, visibility: float) -> None:
        self._bucket = bucket
        self._prefix = f".data-worker/{queue}/"
        self._stale = visibility / 2  # half, because S3 tells whole seconds
        self._finished: list[str] = []
        self.open()

    def open(self) -> None:
        """Begin as a worker nobody knows; to be done before the first message is received."""
        self._worker = uuid4().hex
        self._number = 0
        first = self._key(self._worker, 0)
        self._bucket.create(first, b"")
        self.finish(first)

    def make(self, messages: Collection[str], parcels: Sequence[Parcel]) -> str:
        """Claim the messages and return the claim's key; raises `Fenced`."""
        key = self._key(self._worker, self._number + 1)
        head = {"messages": sorted(messages), "parcels": [asdict(parcel.label) for parcel in parcels]}
        content = b"".join([json.dumps(head).encode(), b"\n", *(parcel.content for parcel in parcels)])
        # Only we write more than nothing under our name: when that is there, an answer to us was lost.
        if not self._bucket.create(key, content) and not self._messages(key):
            raise Fenced
        self._number += 1
        self.close()
        return key

    def finish(self, key: str) -> None:
        """The claim is done for good. It goes once the next one is there: others tell by it since when we work."""
        self._finished.append(key)

    def close(self) -> None:
        """Remove the finished claims."""
        while self._finished:
            self._bucket.delete(self._finished.pop())

    def find(self, messages: Collection[str]) -> dict[str, str]:
        """Return the keys of the claims some of these messages are in. Nobody but us can claim the others from now on.

        Every new search is due to a claim that was made meanwhile.
        """
        while True:
            entries = list(self._bucket.list(self._prefix))
            found = {
                message: entry.key
                for entry in entries
                if entry.size
                for message in self._messages(entry.key).intersection(messages)
            }
            if len(found) == len(messages) or all(self._fence(entry) for entry in self._last_of_others(entries)):
                return found

    def parcels(self, key: str) -> Iterator[Parcel]:
        """Yield the parcels of a claim."""
        with self._bucket.open(key) as claim:
            head, content = json.loads(claim.readline() or "{}"), io.BytesIO(claim.read())
        for label in head.get("parcels", []):
            yield Parcel(Label(**label), content.read(label["size"]))

    def sweep(self, retention: float) -> None:
        """Remove the claims of messages that the queue can not have any more; `retention` is how long it keeps them."""
        for entry in self._bucket.list(self._prefix):
            if entry.age > retention + DAY:
                self._bucket.delete(entry.key)

    def _key(self, worker: str, number: int) -> str:
        return f"{self._prefix}{worker}/{number:08}"

    def _messages(self, key: str) -> set[str]:
        """The messages of a claim; none when it is empty, or gone by now."""
        with self._bucket.open(key) as claim:
            return set(json.loads(claim.readline() or "{}").get("messages", ()))

    def _last_of_others(self, entries: Iterable[Entry]) -> list[Entry]:
        last = {entry.key.rpartition("/")[0]: entry for entry in entries}  # they are listed in their order
        return [entry for worker, entry in last.items() if worker != self._prefix + self._worker]

    def _fence(self, last: Entry) -> bool:
        """Make sure that a worker whose last claim is this one claims nothing it has received so far.

        False when it has just done so.
        """
        worker, _, number = last.key.rpartition("/")
        is_fenced_already = int(number) > 0 and not last.size
        if is_fenced_already or last.age < self._stale:
            return True
        return self._bucket.create(f"{worker}/{int(number) + 1:08}", b"")
