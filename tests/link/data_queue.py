"""A queue of device messages that can be told apart, the bucket they go to, and the workers in between."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.link.aws_server import REGION, Aws
from tests.waiting import eventually

ROOT = Path(__file__).parents[2]
VISIBILITY = 4
READINGS = 2
SMALL = {"BATCH_MESSAGES": "1"}  # as many as one call receives: ten


def device_message(number: int, tenant: str = "acme", when: int | None = None, readings: int = READINGS) -> str:
    """Readings of that many devices; the number tells the message from all others."""
    when = round(time.time() * 1000) if when is None else when
    return json.dumps(
        [
            {
                "name": "devicedata.thermometer.temperature",
                "timestamp": when,
                "value": number,
                "tags": {"device": f"thermometer-{device}", "req-header-x-apigee-iot-tenant-id": tenant},
            }
            for device in range(readings)
        ]
    )


class DataQueue:
    """A queue, its dead letters and a bucket of their own."""

    def __init__(self, aws: Aws, visibility: int = VISIBILITY) -> None:
        name = f"data-{uuid4().hex[:8]}"
        self.sqs, self.s3, self.bucket = aws.client("sqs"), aws.client("s3"), name
        self.url = self.sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": str(visibility)})["QueueUrl"]
        self.dead_letters = self.sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
        self.s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        self.variables = aws.variables | {
            "QUEUE_URL": self.url,
            "DEAD_LETTERS_URL": self.dead_letters,
            "BUCKET": self.bucket,
            "KIND": "device",
            "COREOS_PRIVATE_IPV4": "127.31.0.1",
        }
        self.sent = 0

    def send(self, *bodies: str) -> None:
        """Send messages."""
        for first in range(0, len(bodies), 10):
            entries = [{"Id": str(at), "MessageBody": body} for at, body in enumerate(bodies[first : first + 10])]
            assert not self.sqs.send_message_batch(QueueUrl=self.url, Entries=entries).get("Failed")

    def send_numbered(self, count: int, tenants: int = 2, readings: int = READINGS) -> None:
        """Send so many messages with the next numbers, of these tenants in turn."""
        numbers = range(self.sent, self.sent + count)
        self.send(*(device_message(number, f"tenant{number % tenants}", readings=readings) for number in numbers))
        self.sent += count

    def keys(self, prefix: str = "") -> list[str]:
        """The keys of the bucket, those of claims only when asked for."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        keys = [found["Key"] for page in pages for found in page.get("Contents", [])]
        return [key for key in keys if prefix or not key.startswith(".")]

    def lines(self, key: str) -> list[Any]:
        """The lines of an object."""
        content = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return [
            json.loads(line) for line in (gzip.decompress(content) if key.endswith(".gz") else content).splitlines()
        ]

    def times_written(self) -> Counter[int]:
        """How often each number was written, in readings."""
        return Counter(line["value"] for key in self.keys() for line in self.lines(key))

    def wrong(self, readings: int = READINGS) -> dict[int, int]:
        """The numbers that were not written exactly once, with how many of their readings were."""
        written = self.times_written()
        return {number: written[number] for number in range(self.sent) if written[number] != readings}

    def waiting(self) -> int:
        """How many messages the queue has, hidden ones included."""
        return self._count("ApproximateNumberOfMessages") + self.hidden()

    def hidden(self) -> int:
        """How many messages some worker has in hand."""
        return self._count("ApproximateNumberOfMessagesNotVisible")

    def _count(self, name: str) -> int:
        return int(self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=[name])["Attributes"][name])

    def buried(self) -> list[Any]:
        """The dead letters."""
        found = self.sqs.receive_message(
            QueueUrl=self.dead_letters, MaxNumberOfMessages=10, MessageAttributeNames=["All"], VisibilityTimeout=0
        )
        return list(found.get("Messages", []))

    @contextlib.contextmanager
    def worker(self, **settings: str) -> Iterator[subprocess.Popen[str]]:
        """Run a worker; it is killed in the end if it still runs."""
        inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        with subprocess.Popen(
            [sys.executable, "-m", "link.data_worker"],
            cwd=ROOT,
            env=inherited | self.variables | settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def run_worker(self, **settings: str) -> tuple[int, Mapping[str, Any], str]:
        """Run a worker to its end: exit status, summary ({} without one) and what it said on standard error."""
        with self.worker(**settings) as process:
            said, complained = process.communicate(timeout=400)
        lines = [json.loads(line) for line in said.splitlines()]
        return process.returncode, next((line for line in lines if line["message"] == "summary"), {}), complained

    def finish(self) -> None:
        """Run workers until nothing waits any more, hidden messages included. Their batches are small, so they mix."""
        eventually("no message to wait", lambda: self.run_worker(**SMALL)[0] == 0 and not self.waiting(), seconds=60)
