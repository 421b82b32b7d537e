"""SQS: what waits in a stack's queues, and for how long (that CloudWatch knows)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tasks.clients import cloudwatch, sqs
from tasks.errors import NotFound, QueueGone, no_stack
from tasks.stacks import find_stack
from tasks.worker_plans import Load

RECENT = timedelta(minutes=5)
"""AWS publishes the age once a minute, a little late."""


def find_queue(stack: str, name: str) -> str:
    """The URL of the queue that the base stack has as output `name`. Raises NotFound."""
    base = find_stack(stack)
    if base is None:
        raise no_stack(stack)
    if name not in base.outputs:
        raise NotFound(f"{name} of stack {stack}", f"`tyrell up {stack}` makes it")
    return base.outputs[name]


def find_load(url: str) -> Load:
    """What the queue holds. Raises QueueGone."""
    counts = _counts(url)
    load = Load(
        waiting=counts["ApproximateNumberOfMessages"] + counts["ApproximateNumberOfMessagesDelayed"],
        in_flight=counts["ApproximateNumberOfMessagesNotVisible"],
    )
    return load if load.empty else load.model_copy(update={"age": _find_age(url)})


def count_messages(url: str) -> int:
    """All messages of a queue that nobody empties. Raises QueueGone."""
    return sum(_counts(url).values())


def _counts(url: str) -> dict[str, int]:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html."""
    try:
        attributes = sqs().get_queue_attributes(
            QueueUrl=url,
            AttributeNames=[
                "ApproximateNumberOfMessages",
                "ApproximateNumberOfMessagesDelayed",
                "ApproximateNumberOfMessagesNotVisible",
            ],
        )["Attributes"]
    except sqs().exceptions.QueueDoesNotExist:
        raise QueueGone(url) from None
    return {name: int(count) for name, count in attributes.items()}


def _find_age(url: str) -> timedelta | None:
    """The newest figure of the last minutes.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
    """
    now = datetime.now(UTC)
    found = cloudwatch().get_metric_data(
        MetricDataQueries=[
            {
                "Id": "age",
                "MetricStat": {
                    "Metric": {
                        "Namespace": "AWS/SQS",
                        "MetricName": "ApproximateAgeOfOldestMessage",
                        "Dimensions": [{"Name": "QueueName", "Value": url.rpartition("/")[2]}],
                    },
                    "Period": 60,
                    "Stat": "Maximum",
                },
            }
        ],
        StartTime=now - RECENT,
        EndTime=now + timedelta(minutes=1),
        ScanBy="TimestampDescending",
    )["MetricDataResults"][0]["Values"]
    return timedelta(seconds=found[0]) if found else None
