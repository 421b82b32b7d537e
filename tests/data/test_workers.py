"""Data workers on the embedded cloud: what real targets write ends in the buckets, and only the live version works."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import boto3
import httpx
import pytest
from prefect import flow
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.scale_workers import LOCK, scale_workers
from tasks.errors import LockHeld, QueueTooOld
from tasks.events import Event
from tasks.groups import find_groups
from tasks.locks import holding
from tasks.model import Patience
from tasks.queues import find_queue
from tasks.role_parts import ByQueue
from tasks.roles import load_role
from tasks.worker_watch import work_off_queue
from tests.data.workers import SOON, await_messages, crews, launched, lines, run_now, send, use
from tests.flows.embedded import Tyrell
from tests.waiting import eventually
from tyrell.local.inventory import running
from tyrell.local.link_image import link_files
from tyrell.local.machines.images import register_image

pytestmark = [pytest.mark.cloud, pytest.mark.flow]

Stack = dict[str, Any]
ROLES = ("device-data-worker", "usage-worker")


@pytest.fixture(autouse=True)
def here(cloud: Tyrell, stack: Stack) -> Iterator[None]:
    """Flows of this process are kept by the cloud's Prefect server."""
    with temporary_settings({PREFECT_API_URL: cloud.cloud_environment["PREFECT_API_URL"]}):
        yield


def test_what_targets_write_ends_as_objects_and_the_workers_end_themselves(cloud: Tyrell, stack: Stack) -> None:
    use(stack["url"], "acme")
    await_messages()
    status = {crew["role"]: crew for crew in cloud.json("workers", "status")}
    assert {role: (crew["waiting"] > 0, crew["desired"]) for role, crew in status.items()} == dict.fromkeys(
        ROLES, (True, 0)
    )
    done = {crew["role"]: crew for crew in cloud.json("workers", "run-now")}
    assert {role: (crew["in_flight"], crew["desired"]) for role, crew in done.items()} == dict.fromkeys(ROLES, (0, 0))
    assert all(reading["tags"] for reading in lines("acme", "DeviceDataBucket"))
    assert len(lines("acme", "DeviceDataBucket")) > 0
    assert {usage["headers"]["x-apigee-iot-tenant-id"] for usage in lines("acme", "UsageBucket")} == {"acme"}
    assert [len(launched(role)) for role in ROLES] == [1, 1]
    instances = {each["id"]: each["state"] for each in cloud.json("local", "status")["instances"]}
    assert {instances.get(each, "terminated") for role in ROLES for each in launched(role)} <= {
        "terminated",
        "shutting-down",
    }
    api = cloud.cloud_environment["PREFECT_API_URL"]
    artifacts = httpx.post(f"{api}/artifacts/latest/filter", json={}, trust_env=False).json()
    kinds = {artifact["key"]: artifact["type"] for artifact in artifacts}
    assert (kinds["demo-usage-worker-depth"], kinds["demo-workers"]) == ("image", "table")


def test_a_paused_role_starts_nobody_and_says_so(cloud: Tyrell, stack: Stack) -> None:
    before = launched("usage-worker")
    assert cloud.json("workers", "pause", "usage-worker", "--reason", "S3 is moved")["changes"] == [
        "paused usage-worker"
    ]
    send("bolt")
    (crew,) = run_now("usage-worker")
    assert crew.waiting > 0
    (problem,) = crew.problems
    assert f"{crew.waiting} messages wait and no worker may be started: paused by " in problem
    assert problem.endswith("UTC: S3 is moved")
    assert launched("usage-worker") == before
    cloud.ok("workers", "resume")
    (crew,) = run_now("usage-worker", at_most=0)
    assert crew.problems[0].endswith("no worker may be started: at most 0 are allowed")
    assert launched("usage-worker") == before
    run_now("usage-worker")
    assert lines("bolt", "UsageBucket")


def test_two_ticks_at_once_are_one_run(cloud: Tyrell, stack: Stack) -> None:
    before = launched("usage-worker")
    send("corp")
    with holding("demo", LOCK, "run", None):
        assert scale_workers("demo", run=True, polite=True) == ()
        with pytest.raises(
            LockHeld, match=r"scale-workers of stack demo is locked by .*: run; wait for it with --wait"
        ):
            scale_workers("demo", run=True)
    assert launched("usage-worker") == before
    runs = [cloud.started("workers", "run-now", "usage-worker") for _ in range(2)]
    codes = sorted(run.wait(SOON) for run in runs)
    assert codes in ([0, 0], [0, 1])
    assert crews()["usage-worker"].desired == 0
    assert lines("corp", "UsageBucket")


def test_whoever_changes_the_role_is_not_disturbed(cloud: Tyrell, stack: Stack) -> None:
    before = launched("usage-worker")
    send("gold")
    with holding("demo", "usage-worker", "upgrade", None):
        (crew,) = run_now("usage-worker", watch=timedelta(seconds=2))
    assert (crew.waiting > 0, crew.desired, launched("usage-worker")) == (True, 0, before)
    run_now("usage-worker")
    assert lines("gold", "UsageBucket")


def test_messages_that_wait_too_long_are_an_event_and_a_failed_run(cloud: Tyrell, stack: Stack) -> None:
    role = load_role("usage-worker")
    assert isinstance(role.traffic, ByQueue)
    strict = role.traffic.model_copy(update={"max_age": timedelta()})
    send("dune")

    @flow
    def late() -> None:
        work_off_queue("demo", role, strict, 0, Patience(), run=True)

    with pytest.raises(
        QueueTooOld, match=r"the oldest of \d+ messages in .*UsageQueue.* limit is 0 s; .*at most 0 are"
    ):
        late()
    api = cloud.cloud_environment["PREFECT_API_URL"]
    wanted = {"filter": {"event": {"name": [Event.QUEUE_TOO_OLD.title]}}}

    def events() -> list[Any]:
        found: list[Any] = httpx.post(f"{api}/events/filter", json=wanted, trust_env=False).json()["events"]
        return found

    (event, *_) = eventually("the event to be there", events, SOON)
    assert event["resource"]["prefect.resource.id"] == "tyrell.role.demo.usage-worker"


def test_a_queue_that_is_gone_is_named_and_the_other_one_is_worked_off(cloud: Tyrell, stack: Stack) -> None:
    send("fern")
    sqs, url = boto3.client("sqs"), find_queue("demo", "UsageQueue")
    attributes = sqs.get_queue_attributes(
        QueueUrl=url, AttributeNames=["VisibilityTimeout", "MessageRetentionPeriod", "RedrivePolicy"]
    )["Attributes"]
    sqs.delete_queue(QueueUrl=url)
    try:
        failed = cloud.run("workers", "run-now")
        assert (failed.returncode, f"queue {url} is gone, though its stack has it" in failed.stderr) == (1, True)
        assert crews()["usage-worker"].problems[0].startswith(f"queue {url} is gone")
        assert lines("fern", "DeviceDataBucket")
    finally:
        sqs.create_queue(QueueName=url.rpartition("/")[2], Attributes=attributes)


def test_a_new_version_proves_itself_and_the_old_one_works_no_more(cloud: Tyrell, stack: Stack) -> None:
    old = crews()["usage-worker"].version
    cloud.ok("upgrade", "usage-worker", "--version", "wtwo", "--steady", "1")
    assert crews()["usage-worker"].version == "wtwo"
    send("echo")
    run_now("usage-worker")
    sizes = {group.version.id: group.desired for group in find_groups("demo", "usage-worker")}
    assert sizes == {old: 0, "wtwo": 0}
    assert lines("echo", "UsageBucket")
    assert "switched usage-worker from wtwo to" in cloud.ok("rollback", "usage-worker")
    assert crews()["usage-worker"].version == old


def test_a_version_whose_machines_die_never_gets_to_work(cloud: Tyrell, stack: Stack) -> None:
    before = crews()["usage-worker"].version
    files = {**link_files(), "opt/link/lib/link/data_worker.py": b"def main() -> None:\n    raise SystemExit(1)\n"}
    ami = register_image(running().settings, "tyrell-link", files, {"tyrell:kind": "link", "tyrell:release": "wbad"})
    refused = cloud.run("upgrade", "usage-worker", "--to", ami, "--steady", "60")
    assert refused.returncode == 1
    assert "usage-worker wbad is bad: " in refused.stderr
    assert crews()["usage-worker"].version == before
    assert {group.desired for group in find_groups("demo", "usage-worker")} == {0}


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("workers run-now router", "router works off no queue; roles that do are device-data-worker, usage-worker"),
        ("workers pause nobody", "role 'nobody' does not exist; there are core-services"),
        ("workers status --stack other", "stack other does not exist; `tyrell up other` makes it"),
        ("scale usage-worker 3", "how many machines usage-worker has follows from its queue; `tyrell workers run-now`"),
    ],
)
def test_bad_input_is_one_sentence(cloud: Tyrell, stack: Stack, command: str, sentence: str) -> None:
    done = cloud.run(*command.split())
    assert (done.returncode, sentence in done.stderr) == (2, True), done.stderr
