"""What a target writes into its queues."""

import functools
import json
from typing import Any

import aiohttp
import pytest

from link.shared.etcd import Etcd
from link.shared.records import TARGETS, Target
from link.zetta.devices import mock_devices
from link.zetta.samples import Queue, device_event, messages
from tests.link.aws_server import REGION, Aws
from tests.link.processes import service_process, service_variables
from tests.link.waiting import eventually


async def messages_in(sqs: Any, queue: str) -> list[Any]:
    """Take messages off the queue."""
    found = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
    return [json.loads(message["Body"]) for message in found]


def test_a_reading_goes_out_with_its_tenant_and_where_it_comes_from() -> None:
    device = mock_devices()[0]
    assert device_event("cloud-3001", device, "acme", 0.0) == {
        "name": "devicedata.thermometer.temperature",
        "timestamp": 0,
        "value": 20.0,
        "tags": {
            "hub": "cloud-3001",
            "device": "thermometer-1",
            "deviceType": "thermometer",
            "stream": "temperature",
            "req-header-x-apigee-iot-tenant-id": "acme",
        },
    }


def test_no_message_is_larger_than_allowed_and_none_is_lost() -> None:
    events = [{"number": number} for number in range(1000)]
    bodies = list(messages(events, largest=500))
    assert max(len(body) for body in bodies) <= 500
    assert [event for body in bodies for event in json.loads(body)] == events
    assert list(messages([])) == []


@pytest.mark.cloud
async def test_a_target_with_a_tenant_writes_device_data_and_usage(
    aws: Aws, etcd: Etcd, etcd_port: int, http: aiohttp.ClientSession
) -> None:
    sqs = aws.client("sqs")
    data, usage = (sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("data", "usage"))
    variables = service_variables(f"127.31.0.1:{etcd_port}", "MAPPED_PORT") | aws.variables
    variables |= {"VERSION": "v1", "LEASE_TTL": "1", "SAMPLE_INTERVAL": "0.5"}
    variables |= {"DEVICE_DATA_QUEUE": data, "USAGE_QUEUE": usage}
    authority = f"{variables['COREOS_PRIVATE_IPV4']}:{variables['MAPPED_PORT']}"
    async with service_process("link.target", variables):
        record = await eventually("it is registered", functools.partial(etcd.get, TARGETS + authority))
        assert record is not None
        target = Target.from_json(record.value)
        assert target is not None
        async with http.ws_connect(f"http://{authority}/peers/hub1") as socket:
            await socket.send_str("hello")
            await etcd.put(record.key, target.given_to("acme").to_json(), record.lease)
            events = await eventually("device data", functools.partial(messages_in, sqs, data), timeout=15)
            usages = await eventually("usage", functools.partial(messages_in, sqs, usage), timeout=15)
    assert {event["tags"]["req-header-x-apigee-iot-tenant-id"] for event in events[0]} == {"acme"}
    assert len(events[0]) == 2
    assert list(usages[0]) == [
        "name",
        "connectionId",
        "headers",
        "bytesWritten",
        "bytesRead",
        "active",
        "connected",
        "upload",
    ]
    assert (usages[0]["headers"], usages[0]["bytesRead"]) == ({"x-apigee-iot-tenant-id": "acme"}, 5)


async def test_a_queue_that_fails_is_told_once_and_kills_nothing(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.31.0.3:1")
    queue = Queue("http://127.31.0.3:1/1/data", REGION)
    for _ in range(3):
        await queue.send("[]")
    assert [record.message for record in caplog.records if record.name == "link.zetta.samples"] == [
        'can not write to the queue: Could not connect to the endpoint URL: "http://127.31.0.3:1/"'
    ]
