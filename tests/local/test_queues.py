"""A queue that nobody empties must not slow the cloud down."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from moto import mock_aws
from moto.sqs.models import Queue, sqs_backends

from tests.waiting import eventually
from tyrell.local.queues import COUNTS, count_seldom


def test_a_message_more_is_not_a_count_more_but_is_counted_soon() -> None:
    before = {name: Queue.__dict__[name] for name in COUNTS}
    try:
        count_seldom()
        with mock_aws():
            queue = sqs_backends["123456789012"]["us-east-1"].create_queue("device-data")
            assert queue.approximate_number_of_messages == 0
            message = Looked()
            queue._messages = [message]  # type: ignore[list-item]
            for _ in range(100):
                assert queue.attributes
            assert message.looks <= 2 * len(COUNTS)
            eventually("the count to be made", lambda: queue.attributes["ApproximateNumberOfMessages"] == 1, seconds=5)
    finally:
        for name, count in before.items():
            setattr(Queue, name, count)


def test_cloudwatch_knows_how_old_the_oldest_message_is() -> None:
    with mock_aws():
        sqs = boto3.client("sqs", region_name="us-east-1")
        url = sqs.create_queue(QueueName="device-data")["QueueUrl"]
        assert age_of("device-data") is None
        sqs.send_message(QueueUrl=url, MessageBody="one")
        message: Any = next(iter(sqs_backends["123456789012"]["us-east-1"].queues["device-data"]._messages))
        message.sent_timestamp -= 90_000
        sqs.send_message(QueueUrl=url, MessageBody="two")
        assert 90 <= (age_of("device-data") or 0) < 100
        assert age_of("usage") is None


def age_of(queue: str) -> float | None:
    """As an AWS client hears it."""
    now = datetime.now(UTC)
    points = boto3.client("cloudwatch", region_name="us-east-1").get_metric_statistics(
        Namespace="AWS/SQS",
        MetricName="ApproximateAgeOfOldestMessage",
        Dimensions=[{"Name": "QueueName", "Value": queue}],
        StartTime=now - timedelta(minutes=5),
        EndTime=now + timedelta(minutes=1),
        Period=60,
        Statistics=["Maximum"],
    )["Datapoints"]
    return points[0]["Maximum"] if points else None


class Looked:
    """A message that knows how often somebody looked whether it is visible."""

    id, group_id, delayed, looks = "1", None, False, 0

    @property
    def visible(self) -> bool:
        """Always."""
        self.looks += 1
        return True
