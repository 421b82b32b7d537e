"""What a data worker makes of messages, good and bad ones."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from link.data_worker import build
from link.shared.environment import Environment, SettingError
from link.workers.drain import Summary
from link.workers.parcels import pack
from link.workers.readings import Reading, Unparseable, parse
from link.zetta.devices import mock_devices
from link.zetta.samples import Connection, device_event
from tests.link.aws_server import Aws, aws_server
from tests.link.data_queue import DataQueue, device_message

NEW_YEAR = 1_767_225_600_000  # 2026-01-01T00:00:00Z


@pytest.fixture(scope="module")
def server() -> Iterator[Aws]:
    """One AWS for all tests here: each has a queue and a bucket of its own."""
    with aws_server() as running:
        yield running


@pytest.fixture
def data(server: Aws, monkeypatch: pytest.MonkeyPatch) -> DataQueue:
    """A queue and a bucket that workers of this process can use."""
    for name, value in server.variables.items():
        monkeypatch.setenv(name, value)
    return DataQueue(server)


def drain(data: DataQueue, **settings: str) -> Summary:
    """Run a worker in this process."""
    worker = build(Environment(data.variables | settings))
    worker.run(60, threading.Event())
    return worker.summary


def test_what_a_target_writes_is_understood() -> None:
    event = device_event("cloud-3001", mock_devices()[0], "acme", NEW_YEAR / 1000)
    (reading,) = parse("device", json.dumps([event]))
    assert (reading.tenant, reading.when, json.loads(reading.line)) == ("acme", NEW_YEAR, event)
    usage = Connection().sample("cloud-3001", "acme", NEW_YEAR / 1000)
    (reading,) = parse("usage", json.dumps(usage))
    assert (reading.tenant, reading.day, json.loads(reading.line)) == ("acme", "2026/1/1", usage)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("{", "it is not JSON"),
        ("[" * 100_000, "it is not JSON"),
        ('{"upload": 1}', "it is not an array of readings"),
        ("[1]", "a reading is not an object with tags"),
        ('[{"timestamp": 1, "tags": {}}]', "tags.req-header-x-apigee-iot-tenant-id is 'None', which is no safe name"),
        (device_message(1, tenant="../other"), "'../other', which is no safe name for a tenant"),
        (device_message(1, tenant=".data-worker"), "which is no safe name for a tenant"),
        (device_message(1, tenant="a\n"), "which is no safe name for a tenant"),
        (device_message(1, when=-1), "timestamp is '-1', not milliseconds since 1970"),
        (device_message(1, when=10**15), "not milliseconds since 1970"),
        (device_message(1).replace(": 1,", ": 1e999,"), "a reading is not JSON"),
    ],
    ids=range(11),
)
def test_a_message_that_no_target_writes_is_unparseable_with_the_reason(body: str, reason: str) -> None:
    with pytest.raises(Unparseable) as raised:
        parse("device", body)
    assert reason in str(raised.value)


def test_a_parcel_has_one_tenant_and_one_day_and_a_name_that_comes_from_its_messages() -> None:
    midnight = [Reading("acme", NEW_YEAR - 1, b"{1}"), Reading("acme", NEW_YEAR, b"{2}")]
    readings = {"b": [Reading("acme", NEW_YEAR + 5, b"{3}")], "a": midnight, "c": [Reading("other", NEW_YEAR, b"{4}")]}
    old, new, other = pack(readings, compress=False)
    assert old.label.key.startswith(f"acme/2025/12/31/{NEW_YEAR - 1}-{NEW_YEAR - 1}-")
    assert new.label.key.startswith(f"acme/2026/1/1/{NEW_YEAR}-{NEW_YEAR + 5}-")
    assert new.label.key.endswith(".jsonl")
    assert new.label.metadata == {"tenant": "acme", "startTime": str(NEW_YEAR), "endTime": str(NEW_YEAR + 5)}
    assert (old.content, new.content, other.content) == (b"{1}\n", b"{2}\n{3}\n", b"{4}\n")
    in_another_order = dict(reversed(readings.items()))
    assert pack(in_another_order, compress=False) == [old, new, other]
    assert pack({"d": midnight[:1]}, compress=False)[0].label.key != old.label.key


def test_a_queue_is_emptied_into_an_object_for_each_tenant_and_nothing_else_stays(data: DataQueue) -> None:
    data.send_numbered(25, tenants=3)
    summary = drain(data)
    assert (data.wrong(), data.waiting()) == ({}, 0)
    keys = data.keys()
    assert [key.partition("/")[0] for key in keys] == ["tenant0", "tenant1", "tenant2"]
    assert data.keys(".data-worker/") == []
    head = data.s3.head_object(Bucket=data.bucket, Key=keys[1])
    assert head["Metadata"].get("tenant") == "tenant1"
    assert (summary.end, summary.received, summary.deleted, summary.readings) == ("the queue is empty", 25, 25, 50)
    assert (summary.objects, len(summary.tenants), summary.left) == (3, 3, 0)
    assert summary.bytes == sum(data.s3.head_object(Bucket=data.bucket, Key=key)["ContentLength"] for key in keys)


def test_a_batch_ends_at_its_bound_and_objects_are_compressed_by_option(data: DataQueue) -> None:
    data.send_numbered(45, tenants=1)
    assert drain(data, BATCH_MESSAGES="20", GZIP="1").batches == 3
    keys = data.keys()
    assert [key.endswith(".jsonl.gz") for key in keys] == [True] * 3
    assert data.wrong() == {}


def test_the_unparseable_goes_to_the_dead_letters_and_a_clock_that_is_ahead_is_named(
    data: DataQueue, caplog: pytest.LogCaptureFixture
) -> None:
    data.send("nonsense", device_message(0, "early", round(time.time() * 1000) + 3_600_000), device_message(1))
    data.sent = 2
    summary = drain(data)
    (letter,) = data.buried()
    assert letter["Body"] == "nonsense"
    assert letter["MessageAttributes"]["reason"]["StringValue"].startswith("it is not JSON")
    fields: list[Any] = [record.__dict__["fields"] for record in caplog.records if "stamped later" in record.message]
    assert [one["tenants"] for one in fields] == [["early"]]
    assert (summary.unparseable, summary.ahead, data.waiting(), data.wrong()) == (1, 1, 0, {})


@pytest.mark.cloud
@pytest.mark.parametrize("dead_letters", ["", "gone"], ids=["there are none", "their queue is gone"])
def test_without_dead_letters_the_unparseable_stays_in_the_queue(data: DataQueue, dead_letters: str) -> None:
    data.send("nonsense")
    data.send_numbered(3)
    summary = drain(data, DEAD_LETTERS_URL=dead_letters and data.dead_letters + dead_letters)
    assert (summary.unparseable, summary.left, data.waiting()) == (1, 1, 1)
    assert data.wrong() == {}


def test_a_worker_stops_when_told_or_when_its_time_is_up(data: DataQueue) -> None:
    data.send_numbered(5)
    told, worker = threading.Event(), build(Environment(data.variables))
    told.set()
    worker.run(60, told)
    assert worker.summary.end == "told to stop"
    worker = build(Environment(data.variables))
    worker.run(0, threading.Event())
    assert (worker.summary.end, data.waiting()) == ("time is up", 5)


def test_a_bad_setting_and_a_queue_that_hides_messages_too_briefly_are_named(server: Aws, data: DataQueue) -> None:
    brief = DataQueue(server, visibility=1)
    with pytest.raises(SettingError, match="hides messages for 1 s: its VisibilityTimeout must be at least 4"):
        build(Environment(brief.variables))
    with pytest.raises(SettingError, match="KIND must be device or usage, not 'devices'"):
        build(Environment(data.variables | {"KIND": "devices"}))
