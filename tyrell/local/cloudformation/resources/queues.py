"""SQS queues and their policies."""

from __future__ import annotations

from typing import Any

from tyrell.local.cloudformation.resources.door import Door
from tyrell.local.cloudformation.resources.resource_type import (
    Name,
    Properties,
    ResourceType,
    delete_by,
    map_tags,
    pick,
    words,
)

ATTRIBUTES = (
    "VisibilityTimeout MessageRetentionPeriod DelaySeconds ReceiveMessageWaitTimeSeconds RedrivePolicy "
    "SqsManagedSseEnabled KmsMasterKeyId"
)


def _queue_tags(properties: Properties, tags: list[dict[str, str]]) -> Properties:
    """A template lists a queue's tags, the API takes a map."""
    own = {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}
    return map_tags({**properties, "Tags": own}, tags)


def _create_queue(door: Door, p: Properties) -> str:
    asked = {"QueueName": p["QueueName"], "Attributes": pick(p, ATTRIBUTES), "tags": p["Tags"]}
    return str(door.call("sqs", "create_queue", **asked)["QueueUrl"])


def _configure_queue(door: Door, url: str, new: Properties, old: Properties) -> None:
    if not old:
        return
    if pick(new, ATTRIBUTES) != pick(old, ATTRIBUTES):
        door.call("sqs", "set_queue_attributes", QueueUrl=url, Attributes=pick(new, ATTRIBUTES))
    if dropped := sorted(old["Tags"].keys() - new["Tags"].keys()):
        door.call("sqs", "untag_queue", QueueUrl=url, TagKeys=dropped)
    if new["Tags"] != old["Tags"]:
        door.call("sqs", "tag_queue", QueueUrl=url, Tags=new["Tags"])


def _queue_attributes(door: Door, url: str, p: Properties) -> dict[str, Any]:
    found = door.call("sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    return {"Arn": found["QueueArn"], "QueueName": p["QueueName"], "QueueUrl": url}


def _put_policy(door: Door, queues: list[str], document: Any) -> None:
    for url in queues:
        door.call("sqs", "set_queue_attributes", QueueUrl=url, Attributes={"Policy": document})


def _create_policy(door: Door, p: Properties) -> str:
    _put_policy(door, p["Queues"], p["PolicyDocument"])
    return f"policy-of-{p['Queues'][0].rsplit('/', 1)[-1]}"


def _configure_policy(door: Door, _: str, new: Properties, old: Properties) -> None:
    if old:
        _put_policy(door, [url for url in old["Queues"] if url not in new["Queues"]], "")
        _put_policy(door, new["Queues"], new["PolicyDocument"])


TYPES = (
    ResourceType(
        name="AWS::SQS::Queue",
        fixed=words("QueueName"),
        mutable=words(f"{ATTRIBUTES} Tags"),
        create=_create_queue,
        configure=_configure_queue,
        attributes=_queue_attributes,
        delete=delete_by("sqs", "delete_queue", "QueueUrl"),
        named=Name("QueueName", 80),
        tagging=_queue_tags,
    ),
    ResourceType(
        name="AWS::SQS::QueuePolicy",
        mutable=words("Queues PolicyDocument"),
        required=words("Queues PolicyDocument"),
        create=_create_policy,
        configure=_configure_policy,
        delete=lambda door, _, p: _put_policy(door, p["Queues"], ""),
    ),
)
