"""Queues that stay fast when nobody empties them, and that tell CloudWatch how old their oldest message is.

moto counts all messages anew with each one that is sent, and knows no metrics of queues.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from moto.cloudwatch.models import MetricDatum
from moto.core.common_models import CloudWatchMetricProvider
from moto.sqs.models import Queue, sqs_backends

COUNTS = (
    "approximate_number_of_messages",
    "approximate_number_of_messages_delayed",
    "approximate_number_of_messages_not_visible",
)
FRESH = 1.0
"""Seconds for which a count is good. On AWS too it is approximate, and up to a minute old.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html
"""


def count_seldom() -> None:
    """Have moto's queues count their messages at most once in `FRESH` seconds; again changes nothing."""
    for name in COUNTS:
        count = getattr(Queue, name).fget
        if not hasattr(count, "seldom"):
            setattr(Queue, name, property(_seldom(name, count)))


def _seldom(name: str, count: Callable[[Queue], int]) -> Callable[[Queue], int]:
    def counted(queue: Queue) -> int:
        known: dict[str, tuple[float, int]] = queue.__dict__.setdefault("counted", {})
        when, number = known.get(name, (0.0, 0))
        if time.monotonic() - when > FRESH:
            number = count(queue)
            known[name] = (time.monotonic(), number)
        return number

    counted.seldom = True  # type: ignore[attr-defined]
    return counted


class QueueMetrics(CloudWatchMetricProvider):
    """What CloudWatch is told of the queues; moto asks every provider that there is, whenever somebody asks it.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
    """

    @staticmethod
    def get_cloudwatch_metrics(account_id: str, region: str) -> list[MetricDatum]:
        """The age of each queue's oldest message as it is now; nothing for an empty one. There is no history."""
        queues = list(sqs_backends[account_id][region].queues.values())
        sent = {queue.name: [float(message.sent_timestamp or 0) for message in queue._messages] for queue in queues}
        return [
            MetricDatum(
                namespace="AWS/SQS",
                name="ApproximateAgeOfOldestMessage",
                value=max(0.0, time.time() - min(times) / 1000),
                dimensions=[{"Name": "QueueName", "Value": name}],
                timestamp=None,
                unit="Seconds",
            )
            for name, times in sent.items()
            if times
        ]
