"""The SQS queue a worker empties: receive, keep, give back, delete.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html
"""

import itertools
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from types_boto3_sqs.type_defs import MessageTypeDef

AT_ONCE = 10  # messages in one call, the most that SQS takes
PATIENCE = Config(connect_timeout=5, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 4})

logger = logging.getLogger(__name__)


class Message(NamedTuple):
    """A message as it was received this time. `sent` is in milliseconds since 1970, by the clock of SQS."""

    id: str
    handle: str
    body: str
    sent: int
    again: bool
    """Whether it was received before, by us or by another."""


class Queue:
    """One queue, and the queue for what can not be parsed; "" is none. Raises botocore's errors when it is gone."""

    def __init__(self, url: str, dead_letters: str, region: str) -> None:
        self.url = url
        self._dead_letters = dead_letters
        self._sqs = boto3.client("sqs", region_name=region, config=PATIENCE)
        names = self._sqs.get_queue_attributes(
            QueueUrl=url, AttributeNames=["VisibilityTimeout", "MessageRetentionPeriod"]
        )["Attributes"]
        self.visibility = int(names["VisibilityTimeout"])
        self.retention = int(names["MessageRetentionPeriod"])

    @property
    def name(self) -> str:
        """The last part of its URL."""
        return self.url.rpartition("/")[2]

    def receive(self, wait: int) -> list[Message]:
        """Return up to ten messages, none only when there was none for `wait` seconds."""
        answer = self._sqs.receive_message(
            QueueUrl=self.url,
            MaxNumberOfMessages=AT_ONCE,
            WaitTimeSeconds=wait,
            VisibilityTimeout=self.visibility,
            MessageSystemAttributeNames=["SentTimestamp", "ApproximateReceiveCount"],
        )
        return [_message(one) for one in answer.get("Messages", [])]

    def delete(self, handles: Mapping[str, str]) -> bool:
        """Delete messages, given the handle of each id; False when one of them could not be deleted."""
        done = True
        for entries in _tens(handles):
            answer = self._sqs.delete_message_batch(
                QueueUrl=self.url, Entries=[{"Id": id_, "ReceiptHandle": handle} for id_, handle in entries]
            )
            done = done and not answer.get("Failed")
        return done

    def show_again_in(self, seconds: int, handles: Mapping[str, str]) -> bool:
        """Have others see the messages in so many seconds unless they are deleted; False when one is not ours now."""
        done = True
        for entries in _tens(handles):
            answer = self._sqs.change_message_visibility_batch(
                QueueUrl=self.url,
                Entries=[{"Id": id_, "ReceiptHandle": handle, "VisibilityTimeout": seconds} for id_, handle in entries],
            )
            done = done and not answer.get("Failed")
        return done

    def bury(self, message: Message, reason: str) -> bool:
        """Send the message to the dead letters with the reason, then delete it; False when it stays where it is.

        Killed in between it is there twice, with the same `messageId`.
        """
        fields = {"messageId": message.id, "reason": reason}
        logger.warning("unparseable message", extra={"fields": fields})
        if not self._dead_letters:
            return False
        try:
            self._sqs.send_message(
                QueueUrl=self._dead_letters,
                MessageBody=message.body,
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value} for name, value in fields.items()
                },
            )
        except ClientError as error:
            logger.warning("dead letters: %s", error, extra={"fields": fields})
            return False
        return self.delete({message.id: message.handle})


def _message(found: "MessageTypeDef") -> Message:
    attributes = found["Attributes"]
    again = int(attributes["ApproximateReceiveCount"]) > 1
    return Message(found["MessageId"], found["ReceiptHandle"], found["Body"], int(attributes["SentTimestamp"]), again)


def _tens(handles: Mapping[str, str]) -> Iterator[Sequence[tuple[str, str]]]:
    rest: Iterable[tuple[str, str]] = iter(handles.items())
    while ten := list(itertools.islice(rest, AT_ONCE)):
        yield ten
