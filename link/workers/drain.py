"""Empties a queue into a bucket, batch by batch: gather, claim, write, verify, delete."""

import logging
import threading
import time
from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from typing import Any

from link.shared.statsd import Statsd
from link.workers.batch import Batch
from link.workers.bucket import Bucket, Refused
from link.workers.claims import Claims, Fenced
from link.workers.parcels import Parcel, pack
from link.workers.queue import Queue

LARGEST_BATCH = 8 * 1024 * 1024  # bytes of messages; a worker needs about five times as much memory
LONG_POLL = 1  # seconds; a long poll asks all servers of SQS, so that "empty" can be believed

logger = logging.getLogger(__name__)


@dataclass
class Summary:
    """What a worker did. `left` messages stay in the queue, because an object was refused or nobody takes them."""

    end: str = ""
    batches: int = 0
    received: int = 0
    deleted: int = 0
    left: int = 0
    objects: int = 0
    bytes: int = 0
    readings: int = 0
    tenants: set[str] = field(default_factory=set)
    unparseable: int = 0
    ahead: int = 0
    recovered: int = 0
    fenced: int = 0
    refused: dict[str, str] = field(default_factory=dict)

    def fields(self, seconds: float) -> dict[str, Any]:
        """Return it for the log; `refused` objects and `tenants` as numbers."""
        counts = asdict(self) | {"tenants": len(self.tenants), "refused": len(self.refused)}
        return counts | {"seconds": round(seconds, 3), "messages_per_s": round(self.received / max(seconds, 1e-3), 1)}


class Drain:
    """One worker. `claims` is opened before the first message is received; `statsd` hears what is moved."""

    def __init__(
        self,
        queue: Queue,
        bucket: Bucket,
        claims: Claims,
        statsd: Statsd,
        kind: str,
        largest: int,
        compress: bool,
    ) -> None:
        self.summary = Summary()
        self._queue = queue
        self._bucket = bucket
        self._claims = claims
        self._statsd = statsd
        self._kind = kind
        self._largest = largest
        self._compress = compress

    def run(self, time_limit: float, stop: threading.Event) -> None:
        """Work until the queue is empty, `time_limit` seconds are over or `stop` is set; always finish a batch."""
        began = time.monotonic()
        try:
            while not self.summary.end:
                batch = self._gather(began + time_limit, stop)
                self._work_off(batch)
            self._claims.close()
        finally:
            logger.info("summary", extra={"fields": self.summary.fields(time.monotonic() - began)})

    def _gather(self, deadline: float, stop: threading.Event) -> Batch:
        """Receive a batch. It takes a quarter of the time that messages are hidden at most; the rest is for working."""
        batch = Batch(self._queue, self._kind)
        until = batch.began + self._queue.visibility / 4
        while len(batch) < self._largest and batch.size < LARGEST_BATCH and time.monotonic() < until:
            if stop.is_set() or time.monotonic() >= deadline:
                self.summary.end = "told to stop" if stop.is_set() else "time is up"
                break
            messages = self._queue.receive(LONG_POLL)
            if not messages:
                self.summary.end = "the queue is empty"
                break
            for message in messages:
                batch.add(message)
        self._statsd.gauge("link.workers.age", round(time.time() - batch.oldest / 1000))
        return batch

    def _work_off(self, batch: Batch) -> None:
        self._count(batch)
        for message, reason in batch.unparseable:
            batch.keep()
            self.summary.left += not self._queue.bury(message, reason)
            batch.drop([message.id])
        try:
            self._recover(batch)
            if batch.readings:
                self._write_new(batch)
        except Fenced:
            self.summary.fenced += 1
            logger.warning(
                "others took over from us, we begin anew", extra={"fields": {"dropped": len(batch.readings)}}
            )
            self._claims.open()

    def _recover(self, batch: Batch) -> None:
        """Finish what a worker had claimed that did not come to delete its messages."""
        if not batch.received_again:
            return
        found = self._claims.find(batch.received_again)
        for claim in sorted(set(found.values())):
            messages = [message for message, its_claim in found.items() if its_claim == claim]
            refused = [parcel for parcel in self._claims.parcels(claim) if not self._write(batch, parcel)]
            self._finish(batch, [] if refused else messages)
            batch.drop(messages)
            self.summary.recovered += len(messages)

    def _write_new(self, batch: Batch) -> None:
        messages, parcels = set(batch.readings), pack(batch.readings, self._compress)
        claim = self._claims.make(messages, parcels)
        refused = {message for parcel in parcels if not self._write(batch, parcel) for message in parcel.label.messages}
        self._finish(batch, messages - refused)
        self.summary.left += len(refused)
        if batch.was_ours_throughout and not refused:
            self._claims.finish(claim)
        self.summary.tenants.update(parcel.label.metadata["tenant"] for parcel in parcels)

    def _write(self, batch: Batch, parcel: Parcel) -> bool:
        batch.keep()
        try:
            created = self._bucket.write(parcel)
        except Refused as error:
            self.summary.refused[parcel.label.key] = str(error)
            logger.warning("object refused: %s", error, extra={"fields": {"key": parcel.label.key}})
            return False
        self.summary.objects += created
        self._statsd.count("link.workers.objects", int(created))
        self.summary.bytes += parcel.label.size if created else 0
        return True

    def _finish(self, batch: Batch, messages: Collection[str]) -> None:
        batch.delete(messages)
        self.summary.deleted += len(messages)
        self._statsd.count("link.workers.messages", len(messages))

    def _count(self, batch: Batch) -> None:
        self.summary.batches += bool(len(batch))
        self.summary.received += len(batch)
        self.summary.readings += sum(map(len, batch.readings.values()))
        self.summary.unparseable += len(batch.unparseable)
        self.summary.ahead += batch.ahead
