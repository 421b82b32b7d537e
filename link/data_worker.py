"""The data worker: empties a queue of device data or usage into objects of JSON lines, one per tenant and day.

Settings: QUEUE_URL, BUCKET, KIND (device or usage), DEAD_LETTERS_URL (without it, what can not be parsed stays in the
queue), TIME_LIMIT (2700 s), BATCH_MESSAGES (5000), GZIP (0 or 1), AWS_REGION (us-east-1), STATSD_HOST (port 8125 of
COREOS_PRIVATE_IPV4, this machine).
"""

import os
import signal
import sys
import threading

from botocore.exceptions import BotoCoreError, ClientError

from link.shared.environment import Environment, SettingError
from link.shared.logs import log_to_stdout
from link.shared.statsd import open_statsd
from link.workers.bucket import Bucket
from link.workers.claims import Claims
from link.workers.drain import Drain
from link.workers.queue import Queue
from link.workers.readings import KINDS

SHORTEST_VISIBILITY = 4  # seconds


def build(environment: Environment) -> Drain:
    """Return the worker as the environment describes it; raises `SettingError`, or botocore's errors."""
    kind = environment.choice("KIND", KINDS)
    largest = int(environment.number("BATCH_MESSAGES", 5000, 1, 100_000))
    compress = environment.choice("GZIP", ("0", "1"), "0") == "1"
    region = environment.text("AWS_REGION", "us-east-1")
    queue_url, bucket_name = environment.text("QUEUE_URL"), environment.text("BUCKET")
    queue = Queue(queue_url, environment.text("DEAD_LETTERS_URL", ""), region)
    if queue.visibility < SHORTEST_VISIBILITY:
        raise SettingError(
            f"queue {queue_url} hides messages for {queue.visibility} s: its VisibilityTimeout must be"
            f" at least {SHORTEST_VISIBILITY}"
        )
    bucket = Bucket(bucket_name, region)
    claims = Claims(bucket, queue.name, queue.visibility)
    claims.sweep(queue.retention)
    return Drain(queue, bucket, claims, open_statsd(environment, kind=kind), kind, largest, compress)


def main() -> None:
    """Work once. Exits 2 for a bad setting, 1 when the queue or the bucket is gone, or an object was refused."""
    log_to_stdout("data-worker")
    environment = Environment(os.environ)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        time_limit = environment.number("TIME_LIMIT", 2700, 1, 86400)
        drain = build(environment)
        drain.run(time_limit, stop)
    except SettingError as error:
        print(f"data-worker: {error}", file=sys.stderr)
        sys.exit(2)
    except (BotoCoreError, ClientError) as error:
        where = f"queue {environment.text('QUEUE_URL')}, bucket {environment.text('BUCKET')}"
        sys.exit(f"data-worker: {error} ({where})")
    if refused := drain.summary.refused:
        key, reason = next(iter(refused.items()))
        left = f"{drain.summary.left} messages stay in the queue"
        sys.exit(f"data-worker: {len(refused)} objects refused, {left}; the first is {key}: {reason}")


if __name__ == "__main__":
    main()
