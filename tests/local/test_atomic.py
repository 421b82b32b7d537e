"""What many processes do at once to a queue or a bucket of the embedded cloud happens once."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from tests.link.aws_process import aws_process
from tests.link.aws_server import Aws
from tests.link.data_queue import DataQueue

THREADS = 8


def all_at_once(work: Callable[[Aws], list[str]], aws: Aws) -> Counter[str]:
    """Do it in several threads that begin together, each with clients of its own; what they got, counted."""
    together = threading.Barrier(THREADS)

    def begin(_: int) -> list[str]:
        together.wait(20)
        return work(aws)

    with ThreadPoolExecutor(THREADS) as pool:
        return Counter(got for result in pool.map(begin, range(THREADS)) for got in result)


@pytest.mark.cloud
def test_a_message_has_one_receiver_and_an_object_one_creator_and_what_is_deleted_is_gone() -> None:
    with aws_process() as aws:
        data = DataQueue(aws, visibility=60)
        data.send_numbered(400)

        def empty(aws: Aws) -> list[str]:
            sqs, received = aws.client("sqs"), []
            while found := sqs.receive_message(QueueUrl=data.url, MaxNumberOfMessages=10).get("Messages"):
                entries = [{"Id": one["MessageId"], "ReceiptHandle": one["ReceiptHandle"]} for one in found]
                sqs.delete_message_batch(QueueUrl=data.url, Entries=entries)
                received += [one["Body"] for one in found]
            return received

        def create(aws: Aws) -> list[str]:
            s3, created = aws.client("s3"), []
            for key in map(str, range(20)):
                with contextlib.suppress(s3.exceptions.ClientError):
                    s3.put_object(Bucket=data.bucket, Key=key, Body=b"x", IfNoneMatch="*")
                    created.append(key)
            return created

        received, created = all_at_once(empty, aws), all_at_once(create, aws)
        assert (len(received), max(received.values())) == (400, 1)
        assert created == Counter(map(str, range(20)))
        assert data.waiting() == 0


@pytest.mark.cloud
def test_a_message_is_hidden_for_as_long_as_its_receiver_says() -> None:
    with aws_process() as aws:
        data = DataQueue(aws, visibility=60)
        data.send("one")
        (message,) = data.sqs.receive_message(QueueUrl=data.url)["Messages"]
        handle = message["ReceiptHandle"]
        assert "Messages" not in data.sqs.receive_message(QueueUrl=data.url)
        data.sqs.change_message_visibility(QueueUrl=data.url, ReceiptHandle=handle, VisibilityTimeout=0)
        (again,) = data.sqs.receive_message(QueueUrl=data.url, WaitTimeSeconds=2)["Messages"]
        assert (again["Body"], again["ReceiptHandle"] != handle) == ("one", True)
        with pytest.raises(ClientError, match="43200 seconds"):
            data.sqs.change_message_visibility(QueueUrl=data.url, ReceiptHandle=handle, VisibilityTimeout=43200)
        with pytest.raises(ClientError, match="ReceiptHandleIsInvalid"):
            data.sqs.delete_message(QueueUrl=data.url, ReceiptHandle="unknown")
