"""What a data worker costs and stands: `python -m benchmarks.data_worker`.

One worker beside a bare boto3 loop that makes the same calls and does nothing else; 100,000 messages drained by four
workers, and how much memory each needs; a drain in which 50 workers are killed. AWS is moto, which both have to share
two cores with. Ends with 1 when a figure is over its bound.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.figures import Figure, out, show
from tests.link.aws_process import aws_process
from tests.link.aws_server import Aws
from tests.link.data_queue import DataQueue

READINGS, TENANTS = 10, 5
BATCH = 1000
ROUNDS = 9
MEMORY = 150.0
AT_LEAST = 0.9
LAST_POLL = 1.0  # seconds both wait at the end for messages that do not come; counted for neither
PATIENT = 600  # seconds a message is hidden, so that nothing comes back while we look at speed


def rate(aws: Aws, _messages: int) -> Iterator[Figure]:
    """A worker and the bare loop in turn, each with a queue of its own; neighbours are compared, the median counts."""
    workers, bare = [], []
    for _ in range(ROUNDS):
        data = filled(aws, 2000, PATIENT)
        _, summary, _ = data.run_worker(BATCH_MESSAGES=str(BATCH))
        workers.append(2000 / (summary["seconds"] - LAST_POLL))
        bare.append(bare_rate(filled(aws, 2000, PATIENT)))
    ratios = [one / other for one, other in zip(bare, workers, strict=True)]
    yield Figure("one worker", median(workers), "messages/s")
    yield Figure("bare boto3 loop", median(bare), "messages/s")
    yield Figure("bare loop to worker", median(ratios), "times", round(1 / AT_LEAST, 2))


def bare_rate(data: DataQueue) -> float:
    """Messages per second of the calls alone: receive, claim, write and look, delete, forget."""
    began, received = time.monotonic(), 0
    for number in itertools.count():
        batch: list[Any] = []
        while len(batch) < BATCH and (
            more := data.sqs.receive_message(
                QueueUrl=data.url,
                MaxNumberOfMessages=10,
                WaitTimeSeconds=1,
                VisibilityTimeout=PATIENT,
                MessageSystemAttributeNames=["SentTimestamp", "ApproximateReceiveCount"],
            ).get("Messages")
        ):
            batch += more
        if not batch:
            return received / (time.monotonic() - began - LAST_POLL)
        received += len(batch)
        write_and_delete(data, number, batch)
    raise AssertionError


def write_and_delete(data: DataQueue, number: int, batch: Sequence[Any]) -> None:
    """The calls for a batch of a worker, with contents of the same size."""
    content = "\n".join(message["Body"] for message in batch).encode()
    data.s3.put_object(Bucket=data.bucket, Key=f"claim{number}", Body=content, IfNoneMatch="*")
    for tenant in range(TENANTS):
        key, part = f"tenant{tenant}/{number}", content[tenant::TENANTS]
        data.s3.put_object(Bucket=data.bucket, Key=key, Body=part, IfNoneMatch="*", ChecksumAlgorithm="SHA256")
        data.s3.head_object(Bucket=data.bucket, Key=key, ChecksumMode="ENABLED")
    for ten in range(0, len(batch), 10):
        entries = [{"Id": one["MessageId"], "ReceiptHandle": one["ReceiptHandle"]} for one in batch[ten : ten + 10]]
        data.sqs.delete_message_batch(QueueUrl=data.url, Entries=entries)
    data.s3.delete_object(Bucket=data.bucket, Key=f"claim{number}")


def drain(aws: Aws, messages: int) -> Iterator[Figure]:
    """A long queue, four workers."""
    data = filled(aws, messages, PATIENT)
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        workers = [stack.enter_context(data.worker()) for _ in range(4)]
        peaks = [0.0] * len(workers)
        while any(worker.poll() is None for worker in workers):
            peaks = [max(peak, memory(worker)) for peak, worker in zip(peaks, workers, strict=True)]
            threading.Event().wait(0.2)
        seconds = time.monotonic() - began
        summaries = [json.loads(worker.communicate()[0].splitlines()[-1]) for worker in workers]
    for number, summary in enumerate(summaries, 1):
        yield Figure(f"worker {number} of 4, {summary['received']} messages", summary["messages_per_s"], "messages/s")
    yield Figure(f"{messages} messages, four workers", seconds, "s")
    yield Figure("largest worker", max(peaks), "MiB", MEMORY)
    yield Figure("messages not written exactly once", len(data.wrong(READINGS)), "", 0)
    yield Figure("messages left", data.waiting(), "", 0)


def kills(aws: Aws, _messages: int) -> Iterator[Figure]:
    """Two workers at a time, one of them killed again and again, until 50 are dead; then they are left in peace."""
    data = filled(aws, 10_000, visibility=6)
    chance = random.Random(1)  # noqa: S311  no secret
    for _ in range(25):
        with data.worker(BATCH_MESSAGES="200") as one, data.worker(BATCH_MESSAGES="200") as other:
            for worker in (one, other):
                threading.Event().wait(chance.uniform(0.5, 4))
                worker.kill()
    left = data.waiting()
    while data.waiting():
        data.run_worker(TIME_LIMIT="60")
    yield Figure("messages left when the last of 50 was killed", left, "")
    yield Figure("messages not written exactly once", len(data.wrong(READINGS)), "", 0)


def filled(aws: Aws, messages: int, visibility: int) -> DataQueue:
    """A queue with so many messages."""
    data = DataQueue(aws, visibility)
    began = time.monotonic()
    for _ in range(0, messages, 1000):
        data.send_numbered(1000, TENANTS, READINGS)
    out.print(f"{messages} messages sent in {time.monotonic() - began:.0f} s", highlight=False)
    return data


def memory(worker: subprocess.Popen[str]) -> float:
    """The most memory the process has had so far, in MiB; 0 when it has ended."""
    with contextlib.suppress(OSError, StopIteration):
        lines = Path(f"/proc/{worker.pid}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM:")).split()[1]) / 1024
    return 0.0


PARTS: dict[str, Callable[[Aws, int], Iterator[Figure]]] = {"rate": rate, "drain": drain, "kills": kills}


def main(arguments: Sequence[str] = ()) -> int:
    """Measure, print a table, and return 1 when a figure is over its bound."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.data_worker", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--only", choices=PARTS, action="append", help="measure this part; may be repeated")
    parser.add_argument("--messages", type=int, default=100_000, help="in the queue to drain (default: 100000)")
    options = parser.parse_args(arguments)
    figures = []
    for part in options.only or PARTS:
        with aws_process() as aws:
            figures += [figure._replace(what=f"{part}: {figure.what}") for figure in PARTS[part](aws, options.messages)]
    return show(figures)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
