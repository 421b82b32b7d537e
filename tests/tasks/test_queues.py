"""What is said of a queue, on an AWS of the tests' own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tasks.clients import cloudformation, cloudwatch, sqs
from tasks.errors import NotFound, QueueGone
from tasks.queues import count_messages, find_load, find_queue
from tests.tasks.own_aws import own_aws
from tests.waiting import eventually

pytestmark = pytest.mark.cloud

BASE = """
Resources: {Queue: {Type: AWS::SQS::Queue}}
Outputs: {UsageQueue: {Value: !Ref Queue}}
"""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The URL of the queue `UsageQueue` of the stack `lab`."""
    with own_aws():
        cloudformation().create_stack(StackName="lab", TemplateBody=BASE)
        yield find_queue("lab", "UsageQueue")


def await_counts(url: str, *, waiting: int, in_flight: int) -> None:
    """SQS counts approximately: what it says may be a little old."""

    def counted() -> bool:
        load = find_load(url)
        return (load.waiting, load.in_flight) == (waiting, in_flight)

    eventually(f"{waiting} messages waiting and {in_flight} in flight", counted)


def test_a_message_is_waiting_then_in_flight_then_gone(url: str) -> None:
    sqs().send_message(QueueUrl=url, MessageBody="one")
    await_counts(url, waiting=1, in_flight=0)
    (message,) = sqs().receive_message(QueueUrl=url)["Messages"]
    await_counts(url, waiting=0, in_flight=1)
    assert not find_load(url).empty
    assert count_messages(url) == 1
    sqs().delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    await_counts(url, waiting=0, in_flight=0)
    assert find_load(url).empty


def test_the_newest_figure_of_the_age_counts_and_no_figure_is_no_age(url: str) -> None:
    sqs().send_message(QueueUrl=url, MessageBody="one", DelaySeconds=600)
    await_counts(url, waiting=1, in_flight=0)
    # moto adds a figure of its own, of the moment it is asked: in the same minute the larger one counts.
    when = datetime.now(UTC) + timedelta(seconds=30)
    name = {"MetricName": "ApproximateAgeOfOldestMessage", "Value": 90.0, "Timestamp": when}
    dimension = {"Name": "QueueName", "Value": url.rpartition("/")[2]}
    cloudwatch().put_metric_data(Namespace="AWS/SQS", MetricData=[{**name, "Dimensions": [dimension]}])  # type: ignore[typeddict-item]
    age = find_load(url).age
    assert age is not None
    assert age >= timedelta(seconds=90)


def test_what_is_not_there_is_named_with_what_makes_it(url: str) -> None:
    with pytest.raises(NotFound, match="stack none does not exist; `tyrell up none` makes it"):
        find_queue("none", "UsageQueue")
    with pytest.raises(NotFound, match="DeviceDataQueue of stack lab does not exist; `tyrell up lab` makes it"):
        find_queue("lab", "DeviceDataQueue")
    gone = sqs().create_queue(QueueName="gone")["QueueUrl"]
    sqs().delete_queue(QueueUrl=gone)
    with pytest.raises(QueueGone, match=r"queue .*/gone is gone, though its stack has it"):
        find_load(gone)
